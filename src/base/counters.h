// Counters, gauges and latency histograms, rendered as Prometheus text (version 0.0.4).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"

namespace slipway {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only goes up. Lock-free.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Lock-free.
class Gauge {
 public:
  void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Durations in buckets that widen by a quarter of an octave, up to 134 s. Lock-free; a quantile is right within its
/// bucket, which is at most a quarter wider than its lower edge.
class LatencyHistogram {
 public:
  static constexpr size_t kBuckets = 104;
  using Counts = std::array<std::uint64_t, kBuckets>;

  void record(Duration d);
  std::uint64_t count() const;
  Duration sum() const { return Duration(sum_us_.load(std::memory_order_relaxed)); }
  Duration quantile(double q) const { return quantile(buckets(), q); }
  /// How many fell into each bucket (not cumulative).
  Counts buckets() const;

  // The same for whoever keeps the counts elsewhere.
  /// The bucket that takes `d`; what is longer than the last edge belongs to the last.
  static size_t bucket_of(Duration d);
  /// The longest duration of a bucket but the last, which has no end.
  static Duration upper_edge(size_t bucket);
  /// The upper edge of the bucket that holds the q-quantile (0 <= q <= 1); zero when nothing was counted.
  static Duration quantile(const Counts& counts, double q);

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::int64_t> sum_us_{0};
};

/// All counters of one program. Components register theirs at construction and keep the reference, which lives as long
/// as the registry. Asking twice for one name and labels gives the same object. Thread-safe.
class Counters {
 public:
  /// `name` without prefix: "http_requests_total" becomes "slipway_http_requests_total". Units stand last in names.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  LatencyHistogram& latency(std::string_view name, std::string_view help, Labels labels = {});

  std::string render() const;

 private:
  struct Entry;
  struct Family {
    std::string name, help;
    const char* type;
    std::vector<std::unique_ptr<Entry>> entries;
  };
  Entry& entry(std::string_view name, std::string_view help, const char* type, Labels labels);

 public:
  Counters();
  ~Counters();

 private:
  mutable Guarded<std::vector<Family>> families_;
};

}  // namespace slipway

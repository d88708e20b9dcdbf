// What a version did: the figures of the statistics extension, and the traffic of the last hour.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "inference/inference.h"

namespace slipway::serving {

/// How often, and for how many nanoseconds in all.
struct CountNs {
  std::uint64_t count = 0, ns = 0;
  void add(std::uint64_t more_ns, std::uint64_t times = 1) {
    count += times;
    ns += more_ns;
  }
};

struct BatchFigures {
  std::uint64_t size = 0;  // rows
  CountNs input, infer, output;
};

/// One version's figures since this server started, as the statistics extension names them.
struct VersionFigures {
  std::int64_t version = 0;
  Time last_inference;  // zero: never
  std::uint64_t inference_count = 0, execution_count = 0;
  CountNs success, fail, queue, input, infer, output;
  std::vector<BatchFigures> batches;
  std::uint64_t memory_bytes = 0;  // of its workers, now
};

struct TrafficMinute {
  Time at;
  std::uint64_t requests = 0, errors = 0;
  double p50_ms = 0, p99_ms = 0;
  double confidence_mean = 0;  // NaN: no answer had one
};

struct TrafficTotals {
  std::uint64_t requests = 0, errors = 0;
  double per_s = 0;             // over the last minute
  double p50_ms = 0, p99_ms = 0;  // over the last five minutes; zero without requests
};

/// One version's figures as they grow. Thread-safe.
class VersionStatistics {
 public:
  explicit VersionStatistics(std::int64_t version) { figures_.lock()->version = version; }

  struct Executed {
    std::uint64_t requests = 0, rows = 0, queue_ns = 0, total_ns = 0;  // queue and total summed over the requests
    inference::ComputeTimes times;
  };
  void executed(const Executed& batch, Time now);
  void failed(std::uint64_t total_ns);
  VersionFigures figures() const { return *figures_.lock(); }

 private:
  mutable Guarded<VersionFigures> figures_;
};

/// Requests of a deployment, minute by minute. Thread-safe.
class Traffic {
 public:
  static constexpr size_t kMinutesKept = 24 * 60;

  /// `confidence` NaN: none.
  void record(Time now, Duration latency, bool ok, double confidence);
  TrafficTotals totals(Time now) const;
  /// The last `minutes` (at most kMinutesKept), oldest first, with empty ones.
  std::vector<TrafficMinute> minutes(Time now, size_t minutes) const;

 private:
  /// Latencies in buckets a quarter of an octave wide, from 1 µs on.
  static constexpr size_t kBuckets = 112;
  struct Minute {
    std::int64_t number = -1;  // minutes since 1970
    std::uint32_t requests = 0, errors = 0, confident = 0;
    double confidence_sum = 0;
    std::array<std::uint32_t, kBuckets> latencies{};
  };
  struct State {
    std::map<std::int64_t, Minute> minutes;
    std::uint64_t requests = 0, errors = 0;
  };
  static double quantile_ms(const std::array<std::uint64_t, kBuckets>& latencies, double q);

  mutable Guarded<State> state_;
};

}  // namespace slipway::serving

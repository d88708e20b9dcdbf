// Requests of a deployment, minute by minute, counted once: in memory for at most kTrafficWriteInterval, then in the
// database. What a killed server had counted and not written yet is lost; the requests that became cases are not
// (captured.h).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "catalog/catalog.h"
#include "monitor/deployment_key.h"

namespace slipway::monitor {

inline constexpr Duration kTrafficWriteInterval = std::chrono::seconds(1);
inline constexpr Duration kTrafficSumInterval =
    std::chrono::minutes(10);                           // how late counts of another server may be seen in totals
inline constexpr int kTrafficMinutesMax = 7 * 24 * 60;  // that can be asked for at once
inline constexpr int kTrafficStepMax = 24 * 60;

/// What was counted in one minute, or in several.
struct TrafficCounts {
  std::int64_t requests = 0, errors = 0, latency_sum_us = 0, confidence_count = 0;
  double confidence_sum = 0;
  LatencyHistogram::Counts latency{};

  void add(const PredictionServed& prediction);
  void add(const TrafficCounts& other);
};

/// All requests ever, as last read from the database, and those counted here since.
struct TrafficSum {
  std::int64_t requests = 0, errors = 0;
  Time read_at;  // steady
};

struct TrafficSpan {
  Time at;  // where it begins
  std::int64_t requests = 0, errors = 0;
  std::optional<double> p50_ms, p99_ms;  // none without requests
  std::optional<double> confidence_mean;
};

struct TrafficTotals {
  std::int64_t requests = 0, errors = 0;  // since the deployment's name was first used
  double per_s = 0;                       // over the last minute
  std::optional<double> p50_ms, p99_ms;   // over the last five minutes
};

/// Thread-safe; everything but count() and write_if_due() waits for the database.
class Traffic {
 public:
  Traffic(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  void count(const PredictionServed& prediction);
  /// Writes what was counted, if anything has waited for kTrafficWriteInterval. What cannot be written is tried again.
  void write_if_due();
  void write();

  /// The last `minutes` (up to kTrafficMinutesMax) in spans of `step`, oldest first, with the empty ones; the last one
  /// is not over. Spans begin at whole multiples of `step`.
  Result<std::vector<TrafficSpan>> spans(const ProjectId& project, std::string_view deployment, int minutes, int step);
  Result<TrafficTotals> totals(const ProjectId& project, std::string_view deployment);

 private:
  using Key = DeploymentKey;
  using Minutes = std::map<Time, TrafficCounts>;
  using Sum = TrafficSum;
  struct State {
    std::map<Key, Minutes> unwritten;
    std::map<Key, Sum> sums;
    Time since;  // steady, when the oldest of it was counted
  };

  /// Counts of each minute from `since` on, written or not; and the sum over all minutes, where it is asked for.
  Result<Minutes> minutes_since(const Key& key, Time since, Sum* sum);

  catalog::Database& database_;
  const Clock& clock_;
  // Between a reader's look into the database and its look at what is not written, nothing may move from one to the
  // other. Held while the database works, on purpose: nobody on the way of an answer takes it.
  std::mutex moving_;
  Guarded<State> state_;
};

/// A minute's counts as the row keeps them: "bucket:count" for each bucket that is not empty, separated by commas.
std::string render_buckets(const LatencyHistogram::Counts& counts);
/// The inverse; what is not in that form counts nothing.
LatencyHistogram::Counts parse_buckets(std::string_view text);

}  // namespace slipway::monitor

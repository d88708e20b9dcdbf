// The write path of a run's data: metric points, and what a client sends along with them. Never blocks: a request is
// one closure for the database's writer, which puts all that wait into one transaction.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "domain/ids.h"
#include "tracking/metric_names.h"
#include "tracking/point.h"
#include "tracking/records.h"

namespace slipway::tracking {

inline constexpr size_t kRunsCachedMax = 200'000;
/// At most one metrics_changed event per run in this time.
inline constexpr Duration kMetricsEventInterval = std::chrono::milliseconds(500);

/// A point whose metric is not a number yet: kNewName plus the index in LogRequest::new_names.
inline constexpr MetricNumber kNewName = 0x8000'0000;

/// A metric value that also belongs to a logged model.
struct ModelMetric {
  std::string model_id, key, dataset_name, dataset_digest;
  double value = 0;
  std::int64_t step = 0, at_ms = 0;
};

/// What one request logs to one run. All of it is kept, or nothing.
struct LogRequest {
  ProjectId project;
  RunId run;
  std::vector<Point> points;
  std::vector<std::string> new_names;
  KeyValues params;  // equal again is fine, different is invalid_argument
  KeyValues tags;
  std::vector<ModelMetric> model_metrics;
};

/// Thread-safe.
class MetricLog {
 public:
  MetricLog(catalog::Database& database, MetricNames& names, const Clock& clock, Counters& counters, EventSink* events);

  /// Queues the request; `done` comes from a database thread once it is kept (points alone: as a stream; with
  /// parameters or tags: as a record). not_found for an unknown run, invalid_argument for a deleted one or a changed
  /// parameter.
  void log(LogRequest request, catalog::Completion done);

  /// Adds a point to `request`, resolving its metric's name through `lookup`. True for a name that nobody checked yet.
  static bool add_point(LogRequest& request, const MetricNames::Lookup& lookup, std::string_view name,
                        std::int64_t step, std::int64_t at_ms, double value);

  /// Points logged here that the sorter has not been told of yet.
  std::int64_t take_pending() { return pending_.exchange(0); }

  MetricNames& names() const { return names_; }

 private:
  struct RunPlace {
    std::int64_t number = 0, experiment = 0;
    Time event_at;
  };
  struct Work;
  Result<void> write(Work& work, catalog::Connection& connection);
  void finished(Work& work, const Result<void>& result);
  std::optional<RunPlace> known(const LogRequest& request);
  std::int64_t next_batch_id();

  catalog::Database& database_;
  MetricNames& names_;
  const Clock& clock_;
  EventSink* const events_;
  Counter& points_;
  Counter& requests_;
  std::atomic<std::int64_t> pending_{0};
  std::atomic<std::int64_t> batch_id_{0};
  Guarded<std::unordered_map<std::string, RunPlace>> runs_;  // by project and run
};

}  // namespace slipway::tracking

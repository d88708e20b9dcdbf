// Reading metrics: log, segments and chunks merged, so that nobody sees where a point lies.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "domain/ids.h"
#include "tracking/metric_names.h"
#include "tracking/metric_summaries.h"
#include "tracking/point.h"
#include "tracking/records.h"
#include "tracking/thinning.h"

namespace slipway::tracking {

/// Which part of a history is wanted, and how much of it. Both ends belong to the range; steps or milliseconds, as `x`
/// says.
struct HistoryView {
  XAxis x = XAxis::step;
  std::optional<std::int64_t> from, to;
  size_t points_max = 2'000;
};

struct StepRange {
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();
};

/// Thread-safe.
class Metrics {
 public:
  Metrics(catalog::Database& database, MetricNames& names) : database_(database), names_(names) {}

  /// All points of one metric of one run, each once, by step, time, value. Nothing for a metric that was never logged.
  Result<std::vector<Point>> history(const ProjectId& project, const RunId& run, const std::string& key) const;
  /// Several series of several runs, run by run in one snapshot, thinned to `view.points_max` points each. A series
  /// without points is there, too.
  Result<std::vector<ThinnedSeries>> histories(const ProjectId& project, std::span<const RunId> runs,
                                               std::span<const std::string> keys, const HistoryView& view) const;
  Result<std::vector<MetricSummary>> summaries(const ProjectId& project, const RunId& run) const;

  // Inside somebody's transaction.
  static Result<std::vector<Point>> read_series(catalog::Connection& connection, std::int64_t run, MetricNumber metric,
                                                StepRange steps = {});
  /// Of several runs, in their order, each run's sorted by key. With `only`, just these.
  Result<std::vector<std::vector<MetricSummary>>> read_summaries(catalog::Connection& connection,
                                                                 std::span<const std::int64_t> runs,
                                                                 const std::vector<MetricNumber>* only = nullptr,
                                                                 SummaryParts parts = SummaryParts::all) const;
  MetricNames& names() const { return names_; }

 private:
  catalog::Database& database_;
  MetricNames& names_;
};

/// One piece for each metric of sorted points.
std::vector<std::span<const Point>> split_series(std::span<const Point> points);

/// Sorts and drops equal points.
void sort_unique(std::vector<Point>& points);

}  // namespace slipway::tracking

// What is known of series without reading their points: the table of latest values, what is staged for it, and what the
// log adds.
// Private to the room, but for Metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "tracking/point.h"

namespace slipway::tracking {

/// One series in short: its latest point, its extremes, how many.
struct SeriesSummary {
  Point latest;
  double low = 0, high = 0, total = 0;  // NaN, NaN, 0 as long as only NaN came
  std::int64_t points = 0;
};
SeriesSummary no_summary(MetricNumber metric);
/// `points` are sorted, of one metric, and none of them is in `summary` yet.
void add_points(SeriesSummary& summary, std::span<const Point> points);

/// For each of several runs, in their order.
using SummariesOfRuns = std::vector<std::vector<SeriesSummary>>;

/// What the sorter has found out, staged or in metric_latest, each run's sorted by metric. With `only`, just these
/// metrics.
Result<SummariesOfRuns> read_sorted_summaries(catalog::Connection& connection, std::span<const std::int64_t> runs,
                                              const std::vector<MetricNumber>* only);
/// What is wanted of each series: its latest point, or also its extremes, sum and count.
enum class SummaryParts { latest, all };
/// The same with the points that still lie in the log.
Result<SummariesOfRuns> read_whole_summaries(catalog::Connection& connection, std::span<const std::int64_t> runs,
                                             const std::vector<MetricNumber>* only, SummaryParts parts);

}  // namespace slipway::tracking

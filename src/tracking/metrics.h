// Reading metrics: log, segments and chunks merged, so that nobody sees where a point lies.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "domain/ids.h"
#include "tracking/metric_names.h"
#include "tracking/point.h"
#include "tracking/records.h"

namespace slipway::tracking {

/// A history made short for a screen. Each bucket of neighbouring points keeps its last value and its extremes.
struct ThinnedSeries {
  std::string key;
  std::int64_t points = 0;  // before thinning
  bool thinned = false;
  std::vector<std::int64_t> steps, at_ms;
  std::vector<double> values;
  std::vector<double> low, high;  // empty unless thinned
};
enum class XAxis { step, time };

/// Thread-safe.
class Metrics {
 public:
  Metrics(catalog::Database& database, MetricNames& names) : database_(database), names_(names) {}

  /// All points of one metric of one run, each once, by step, time, value. Nothing for a metric that was never logged.
  Result<std::vector<Point>> history(const ProjectId& project, const RunId& run, const std::string& key) const;
  /// At most about `points_max` points.
  Result<ThinnedSeries> thinned_history(const ProjectId& project, const RunId& run, const std::string& key, XAxis x,
                                        size_t points_max) const;
  Result<std::vector<MetricSummary>> summaries(const ProjectId& project, const RunId& run) const;
  /// All metric names of a project's runs, or of one experiment's, sorted; at most `most`.
  Result<std::vector<std::string>> keys(const ProjectId& project, std::optional<std::int64_t> experiment,
                                        size_t most) const;

  // Inside somebody's transaction.
  static Result<std::vector<Point>> read_series(catalog::Connection& connection, std::int64_t run, MetricNumber metric);
  /// Sorted by key. With `only`, just these.
  Result<std::vector<MetricSummary>> read_summaries(catalog::Connection& connection, std::int64_t run,
                                                    const std::vector<MetricNumber>* only = nullptr) const;
  MetricNames& names() const { return names_; }

 private:
  catalog::Database& database_;
  MetricNames& names_;
};

/// What is known of one series without its points: the latest one, the extremes, how many.
struct SeriesSummary {
  Point latest;
  double low = 0, high = 0, total = 0;  // NaN, NaN, 0 as long as only NaN came
  std::int64_t points = 0;
};
SeriesSummary no_summary(MetricNumber metric);
/// `points` are sorted, of one metric, and none of them is in `summary` yet.
void add_points(SeriesSummary& summary, std::span<const Point> points);

/// What metric_latest says of a run, sorted by metric. With `only`, just these.
Result<std::vector<SeriesSummary>> read_sorted_summaries(catalog::Connection& connection, std::int64_t run,
                                                         const std::vector<MetricNumber>* only);
/// One piece for each metric of sorted points.
std::vector<std::span<const Point>> split_series(std::span<const Point> points);

/// Pure: `points` sorted by the x axis.
ThinnedSeries thin(std::span<const Point> points, size_t points_max);

/// Sorts and drops equal points.
void sort_unique(std::vector<Point>& points);

}  // namespace slipway::tracking

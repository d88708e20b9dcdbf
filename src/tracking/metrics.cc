#include "tracking/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "tracking/metric_codec.h"
#include "tracking/run_rows.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Runs `parse` on each blob of a query's only column.
template <typename Parse>
Result<void> for_each_body(Connection& connection, std::string_view sql, const catalog::Values& values, Parse parse) {
  Result<void> problem;
  TRY(connection.run(sql, values, [&](const catalog::Row& row) {
    problem = parse(row.blob(0));
    return problem.ok();
  }));
  return problem;
}

double number_or_nan(const catalog::Row& row, int column) { return row.is_null(column) ? kNaN : row.number(column); }

SeriesSummary read_summary(const catalog::Row& row) {
  SeriesSummary out;
  out.latest = {static_cast<MetricNumber>(row.integer(0)), row.integer(2), row.integer(3), number_or_nan(row, 1)};
  out.low = number_or_nan(row, 4);
  out.high = number_or_nan(row, 5);
  out.total = row.number(6);
  out.points = row.integer(7);
  return out;
}

constexpr const char* kSummaryColumns =
    "SELECT metric, value, step, at_ms, low, high, total, points FROM metric_latest ";

constexpr auto kPointLess = [](const Point& a, const Point& b) { return point_less(a, b); };

/// Brings points of one metric together, keeping their order within it: one pass that counts and one that moves. False,
/// and nothing done, when the numbers of the metrics lie too far apart for that.
bool group_by_metric(std::vector<Point>& points) {
  const auto [low, high] = std::minmax_element(points.begin(), points.end(),
                                               [](const Point& a, const Point& b) { return a.metric < b.metric; });
  const size_t first = low->metric, range = size_t{high->metric} - first + 1;
  if (range > 4 * points.size() + 1024) return false;
  std::vector<size_t> ends(range + 1);
  for (const Point& point : points) ++ends[point.metric - first + 1];
  for (size_t i = 1; i <= range; ++i) ends[i] += ends[i - 1];
  std::vector<Point> grouped(points.size());
  for (const Point& point : points) grouped[ends[point.metric - first]++] = point;
  points.swap(grouped);
  return true;
}

}  // namespace

void sort_unique(std::vector<Point>& points) {
  if (!std::is_sorted(points.begin(), points.end(), kPointLess)) {
    if (!group_by_metric(points)) {
      std::sort(points.begin(), points.end(), kPointLess);
    } else {
      // What one client logs comes in order, so that most series are sorted now.
      for (auto from = points.begin(); from != points.end();) {
        const auto to = std::find_if(from, points.end(), [&](const Point& p) { return p.metric != from->metric; });
        if (!std::is_sorted(from, to, kPointLess)) std::sort(from, to, kPointLess);
        from = to;
      }
    }
  }
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
}

std::vector<std::span<const Point>> split_series(std::span<const Point> points) {
  std::vector<std::span<const Point>> out;
  for (size_t from = 0; from < points.size();) {
    size_t to = from;
    while (to < points.size() && points[to].metric == points[from].metric) ++to;
    out.push_back(points.subspan(from, to - from));
    from = to;
  }
  return out;
}

SeriesSummary no_summary(MetricNumber metric) {
  SeriesSummary out;
  out.latest = {metric, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min(), kNaN};
  out.low = out.high = kNaN;
  return out;
}

void add_points(SeriesSummary& summary, std::span<const Point> points) {
  for (const Point& point : points) {
    if (std::isnan(point.value)) continue;
    if (!(point.value >= summary.low)) summary.low = point.value;
    if (!(point.value <= summary.high)) summary.high = point.value;
    if (std::isfinite(point.value)) summary.total += point.value;  // +inf and -inf would make it NaN
  }
  if (!points.empty() && (summary.points == 0 || point_less(summary.latest, points.back())))
    summary.latest = points.back();
  summary.points += static_cast<std::int64_t>(points.size());
}

Result<std::vector<Point>> Metrics::read_series(Connection& connection, std::int64_t run, MetricNumber metric) {
  std::vector<Point> points;
  TRY(for_each_body(connection, "SELECT body FROM metric_chunks WHERE run = ? AND metric = ? ORDER BY step_min, id",
                    {run, std::int64_t{metric}},
                    [&](std::string_view body) { return parse_series(body, metric, points); }));
  TRY(for_each_body(connection, "SELECT body FROM metric_segments WHERE run = ? ORDER BY id", {run},
                    [&](std::string_view body) { return parse_segment_series(body, metric, points); }));
  std::vector<Point> batch;
  TRY(for_each_body(connection, "SELECT body FROM metric_batches WHERE run = ? ORDER BY id", {run},
                    [&](std::string_view body) -> Result<void> {
                      batch.clear();
                      TRY(parse_batch(body, batch));
                      std::copy_if(batch.begin(), batch.end(), std::back_inserter(points),
                                   [&](const Point& p) { return p.metric == metric; });
                      return {};
                    }));
  sort_unique(points);
  return points;
}

Result<std::vector<Point>> Metrics::history(const ProjectId& project, const RunId& run, const std::string& key) const {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<Point>> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    const auto metric = TRY(names_.number(connection, project, key));
    if (!metric) return std::vector<Point>{};
    return read_series(connection, row.number, *metric);
  });
}

Result<ThinnedSeries> Metrics::thinned_history(const ProjectId& project, const RunId& run, const std::string& key,
                                               XAxis x, size_t points_max) const {
  auto points = TRY(history(project, run, key));
  if (x == XAxis::time) {
    std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.at_ms < b.at_ms; });
  }
  ThinnedSeries out = thin(points, points_max);
  out.key = key;
  return out;
}

ThinnedSeries thin(std::span<const Point> points, size_t points_max) {
  ThinnedSeries out;
  out.points = static_cast<std::int64_t>(points.size());
  out.thinned = points.size() > std::max<size_t>(points_max, 1);
  const size_t buckets = out.thinned ? std::max<size_t>(points_max, 1) : points.size();
  out.steps.reserve(buckets);
  for (size_t bucket = 0; bucket < buckets; ++bucket) {
    const size_t from = bucket * points.size() / buckets, to = (bucket + 1) * points.size() / buckets;
    const Point& last = points[to - 1];
    out.steps.push_back(last.step);
    out.at_ms.push_back(last.at_ms);
    out.values.push_back(last.value);
    if (!out.thinned) continue;
    SeriesSummary extremes = no_summary(0);
    add_points(extremes, points.subspan(from, to - from));
    out.low.push_back(extremes.low);
    out.high.push_back(extremes.high);
  }
  return out;
}

Result<std::vector<SeriesSummary>> read_sorted_summaries(Connection& connection, std::int64_t run,
                                                         const std::vector<MetricNumber>* only) {
  std::vector<SeriesSummary> out;
  const auto take = [&](const catalog::Row& row) {
    out.push_back(read_summary(row));
    return true;
  };
  if (!only) {
    TRY(connection.run(std::string(kSummaryColumns) + "WHERE run = ? ORDER BY metric", {run}, take));
    return out;
  }
  for (MetricNumber metric : *only)
    TRY(connection.run(std::string(kSummaryColumns) + "WHERE run = ? AND metric = ?", {run, std::int64_t{metric}},
                       take));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.latest.metric < b.latest.metric; });
  return out;
}

namespace {

/// What the sorter has not seen yet of a run, sorted. With `only`, just these metrics.
Result<std::vector<Point>> read_tail(Connection& connection, std::int64_t run, const std::vector<MetricNumber>* only) {
  std::vector<Point> tail;
  TRY(for_each_body(connection, "SELECT body FROM metric_batches WHERE run = ? ORDER BY id", {run},
                    [&](std::string_view body) -> Result<void> {
                      // A damaged batch is the history's error, not that of every list that shows the run; the sorter
                      // has logged it.
                      (void)parse_batch(body, tail);
                      return {};
                    }));
  if (only)
    std::erase_if(
        tail, [&](const Point& point) { return std::find(only->begin(), only->end(), point.metric) == only->end(); });
  sort_unique(tail);
  return tail;
}

/// Adds the points of one metric to what is known of it. One that is not after the latest may be there already: only
/// its series tells.
Result<SeriesSummary> with_tail(Connection& connection, std::int64_t run, std::optional<SeriesSummary> known,
                                std::span<const Point> points) {
  if (known && !point_less(known->latest, points.front())) {
    SeriesSummary whole = no_summary(points.front().metric);
    add_points(whole, TRY(Metrics::read_series(connection, run, points.front().metric)));
    return whole;
  }
  SeriesSummary sum = known.value_or(no_summary(points.front().metric));
  add_points(sum, points);
  return sum;
}

}  // namespace

Result<std::vector<MetricSummary>> Metrics::read_summaries(Connection& connection, std::int64_t run,
                                                           const std::vector<MetricNumber>* only) const {
  auto summaries = TRY(read_sorted_summaries(connection, run, only));
  const std::vector<Point> tail = TRY(read_tail(connection, run, only));
  const auto by_metric = [](const SeriesSummary& s, MetricNumber metric) { return s.latest.metric < metric; };
  for (const size_t sorted = summaries.size(); const auto& points : split_series(tail)) {
    const auto end = summaries.begin() + static_cast<std::ptrdiff_t>(sorted);
    const auto known = std::lower_bound(summaries.begin(), end, points.front().metric, by_metric);
    const bool is_known = known != end && known->latest.metric == points.front().metric;
    const SeriesSummary sum = TRY(with_tail(connection, run, is_known ? std::optional(*known) : std::nullopt, points));
    if (is_known)
      *known = sum;
    else
      summaries.push_back(sum);
  }
  std::vector<MetricSummary> out;
  out.reserve(summaries.size());
  for (const SeriesSummary& s : summaries) {
    out.push_back({TRY(names_.name(connection, s.latest.metric)), s.latest.value, s.latest.step, s.latest.at_ms, s.low,
                   s.high, s.total, s.points});
  }
  std::sort(out.begin(), out.end(), [](const MetricSummary& a, const MetricSummary& b) { return a.key < b.key; });
  return out;
}

Result<std::vector<MetricSummary>> Metrics::summaries(const ProjectId& project, const RunId& run) const {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<MetricSummary>> {
    return read_summaries(connection, TRY(find_run_row(connection, project, run)).number);
  });
}

Result<std::vector<std::string>> Metrics::keys(const ProjectId& project, std::optional<std::int64_t> experiment,
                                               size_t most) const {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<std::string>> {
    const auto text = [](const catalog::Row& row) { return std::string(row.text(0)); };
    const auto limit = static_cast<std::int64_t>(most);
    if (!experiment) {
      return connection.rows("SELECT name FROM metric_names WHERE project_id = ? ORDER BY name LIMIT ?",
                             {project.text, limit}, text);
    }
    return connection.rows(
        "SELECT name FROM metric_names n WHERE project_id = ? AND EXISTS (SELECT 1 FROM metric_latest l WHERE "
        "l.experiment = ? AND l.metric = n.number) ORDER BY name LIMIT ?",
        {project.text, *experiment, limit}, text);
  });
}

}  // namespace slipway::tracking

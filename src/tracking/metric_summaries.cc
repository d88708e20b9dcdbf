#include "tracking/metric_summaries.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "tracking/metric_codec.h"
#include "tracking/metrics.h"
#include "tracking/search_sql.h"
#include "tracking/staged_summaries.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr size_t kSpreadMax = 4;  // metrics read for one that is wanted
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double number_or_nan(const catalog::Row& row, int column) { return row.is_null(column) ? kNaN : row.number(column); }

SeriesSummary read_summary(const catalog::Row& row, SummaryParts parts) {
  SeriesSummary out;
  out.latest = {static_cast<MetricNumber>(row.integer(1)), row.integer(3), row.integer(4), number_or_nan(row, 2)};
  if (parts == SummaryParts::latest) return out;
  out.low = number_or_nan(row, 5);
  out.high = number_or_nan(row, 6);
  out.total = row.number(7);
  out.points = row.integer(8);
  return out;
}

constexpr auto kByMetric = [](const SeriesSummary& a, const SeriesSummary& b) {
  return a.latest.metric < b.latest.metric;
};

/// Where each run stands in the answer. Rows of one run mostly come together, so the last answer is tried first.
class Places {
 public:
  explicit Places(std::span<const std::int64_t> runs) {
    for (size_t i = 0; i < runs.size(); ++i) places_.emplace(runs[i], i);
  }
  size_t of(std::int64_t run) {
    if (run != last_run_) last_ = places_.at(last_run_ = run);
    return last_;
  }

 private:
  std::unordered_map<std::int64_t, size_t> places_;
  std::int64_t last_run_ = -1;
  size_t last_ = 0;
};

bool contains(const std::vector<MetricNumber>& sorted, MetricNumber metric) {
  return std::binary_search(sorted.begin(), sorted.end(), metric);
}

/// What the sorter has not seen yet of each run, sorted. With `only`, just these metrics.
Result<std::vector<std::vector<Point>>> read_tails(Connection& connection, std::span<const std::int64_t> runs,
                                                   const std::vector<MetricNumber>* only) {
  std::vector<std::vector<Point>> tails(runs.size());
  Places places(runs);
  Sql sql{"SELECT run, body FROM metric_batches WHERE ", {}};
  sql.add(among("run", runs, connection.is_postgres()));
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    // A damaged batch is the history's error, not that of every list that shows the run; the sorter has logged it.
    (void)parse_batch(row.blob(1), tails[places.of(row.integer(0))]);
    return true;
  }));
  for (auto& tail : tails) {
    if (only) std::erase_if(tail, [&](const Point& point) { return !contains(*only, point.metric); });
    if (!tail.empty()) sort_unique(tail);
  }
  return tails;
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

/// Adds a run's tail to its summaries, which are sorted by metric before and after.
Result<void> add_tail(Connection& connection, std::int64_t run, std::span<const Point> tail,
                      std::vector<SeriesSummary>& summaries) {
  const size_t sorted = summaries.size();
  for (const auto& points : split_series(tail)) {
    const auto end = summaries.begin() + static_cast<std::ptrdiff_t>(sorted);
    const auto known = std::lower_bound(summaries.begin(), end, no_summary(points.front().metric), kByMetric);
    const bool is_known = known != end && known->latest.metric == points.front().metric;
    const SeriesSummary sum = TRY(with_tail(connection, run, is_known ? std::optional(*known) : std::nullopt, points));
    if (is_known)
      *known = sum;
    else
      summaries.push_back(sum);
  }
  std::inplace_merge(summaries.begin(), summaries.begin() + static_cast<std::ptrdiff_t>(sorted), summaries.end(),
                     kByMetric);
  return {};
}

}  // namespace

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

namespace {

/// The metrics to read, or, when they lie close together, all from the first to the last: a few rows too many cost less
/// than looking each up. `metrics` is sorted and has one.
Sql wanted_metrics(const std::vector<MetricNumber>& metrics, bool is_postgres) {
  if (metrics.back() - metrics.front() < kSpreadMax * metrics.size())
    return {"metric BETWEEN ? AND ?", {std::int64_t{metrics.front()}, std::int64_t{metrics.back()}}};
  return among("metric", std::vector<std::int64_t>(metrics.begin(), metrics.end()), is_postgres);
}

/// What metric_latest says, with what is staged instead where something is. `only` is sorted.
Result<SummariesOfRuns> read_stored(Connection& connection, std::span<const std::int64_t> runs,
                                    const std::vector<MetricNumber>* only, SummaryParts parts) {
  SummariesOfRuns out(runs.size());
  if (only && only->empty()) return out;
  const bool is_postgres = connection.is_postgres();
  Sql sql{"SELECT run, metric, value, step, at_ms", {}};
  if (parts == SummaryParts::all) sql.add(", low, high, total, points");
  sql.add(" FROM metric_latest WHERE ").add(among("run", runs, is_postgres));
  if (only) sql.add(" AND ").add(wanted_metrics(*only, is_postgres));
  Places places(runs);
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    if (!only || contains(*only, static_cast<MetricNumber>(row.integer(1))))
      out[places.of(row.integer(0))].push_back(read_summary(row, parts));
    return true;
  }));
  for (auto& summaries : out) {
    if (!std::is_sorted(summaries.begin(), summaries.end(), kByMetric))
      std::sort(summaries.begin(), summaries.end(), kByMetric);
  }
  for (StagedRun& staged : TRY(read_staged_of_runs(connection, runs))) {
    if (only)
      std::erase_if(staged.summaries, [&](const SeriesSummary& s) { return !contains(*only, s.latest.metric); });
    auto& summaries = out[places.of(staged.run)];
    summaries = merge_summaries(summaries, staged.summaries);
  }
  return out;
}

std::vector<MetricNumber> sorted(const std::vector<MetricNumber>* metrics) {
  std::vector<MetricNumber> out = metrics ? *metrics : std::vector<MetricNumber>();
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Result<SummariesOfRuns> read_sorted_summaries(Connection& connection, std::span<const std::int64_t> runs,
                                              const std::vector<MetricNumber>* only) {
  const std::vector<MetricNumber> wanted = sorted(only);
  return read_stored(connection, runs, only ? &wanted : nullptr, SummaryParts::all);
}

Result<SummariesOfRuns> read_whole_summaries(Connection& connection, std::span<const std::int64_t> runs,
                                             const std::vector<MetricNumber>* only, SummaryParts parts) {
  const std::vector<MetricNumber> wanted = sorted(only);
  if (only) only = &wanted;
  auto summaries = TRY(read_stored(connection, runs, only, parts));
  const auto tails = TRY(read_tails(connection, runs, only));
  for (size_t i = 0; i < runs.size(); ++i) TRY(add_tail(connection, runs[i], tails[i], summaries[i]));
  return summaries;
}

}  // namespace slipway::tracking

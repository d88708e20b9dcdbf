#include "tracking/fresh_values.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "tracking/metric_codec.h"
#include "tracking/search_sql.h"
#include "tracking/staged_summaries.h"

namespace slipway::tracking {
namespace {

using catalog::Connection;

/// By metric, then by run.
using LatestByMetric = std::map<MetricNumber, std::map<std::int64_t, Point>>;

/// The runs that have points in the log, or nullopt when they or their points are too many.
Result<std::optional<std::vector<std::int64_t>>> waiting_runs(Connection& connection,
                                                              std::span<const std::int64_t> experiments) {
  // One row per run of the log first; CROSS JOIN holds SQLite to looking only those up.
  Sql sql{
      "SELECT w.run, w.points FROM (SELECT run, CAST(SUM(points) AS BIGINT) AS points FROM metric_batches GROUP BY run) w "
      "CROSS JOIN runs r WHERE r.number = w.run",
      {}};
  if (!experiments.empty()) sql.add(" AND ").add(one_of("r.experiment", experiments));
  std::vector<std::int64_t> runs;
  std::int64_t points = 0;
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    runs.push_back(row.integer(0));
    points += row.integer(1);
    return runs.size() <= kFreshRunsMax && points <= kFreshPointsMax;
  }));
  if (runs.size() > kFreshRunsMax || points > kFreshPointsMax) return std::optional<std::vector<std::int64_t>>();
  return std::optional(std::move(runs));
}

/// take(run, points) for every batch of these runs, run by run.
template <typename Take>
Result<void> for_each_batch(Connection& connection, const std::vector<std::int64_t>& runs, Take take) {
  std::vector<Point> batch;
  Sql sql{"SELECT run, body FROM metric_batches WHERE ", {}};
  sql.add(among("run", runs, connection.is_postgres())).add(" ORDER BY run, id");
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    batch.clear();
    // The sorter logs one that cannot be read; it must not end every search.
    if (parse_batch(row.blob(1), batch).ok()) take(row.integer(0), batch);
    return true;
  }));
  return {};
}

/// Which of `metrics` it is; their number when it is none.
size_t index_of(std::span<const MetricNumber> metrics, MetricNumber metric) {
  return static_cast<size_t>(std::find(metrics.begin(), metrics.end(), metric) - metrics.begin());
}

/// Each run's latest point in the log.
Result<void> read_log(Connection& connection, const std::vector<std::int64_t>& runs,
                      std::span<const MetricNumber> metrics, LatestByMetric& out) {
  return for_each_batch(connection, runs, [&](std::int64_t run, const std::vector<Point>& batch) {
    std::vector<const Point*> last(metrics.size());
    for (const Point& point : batch) {
      const size_t index = index_of(metrics, point.metric);
      if (index < last.size() && (!last[index] || point_less(*last[index], point))) last[index] = &point;
    }
    for (const Point* point : last) {
      if (!point) continue;
      const auto [known, is_new] = out[point->metric].try_emplace(run, *point);
      if (!is_new && point_less(known->second, *point)) known->second = *point;
    }
  });
}

/// Each run's latest point among the staged summaries.
Result<void> read_staged_points(Connection& connection, std::span<const std::int64_t> experiments,
                                std::span<const MetricNumber> metrics, LatestByMetric& out) {
  for (const StagedRun& staged : TRY(read_staged(connection, experiments))) {
    for (const SeriesSummary& summary : staged.summaries) {
      if (index_of(metrics, summary.latest.metric) < metrics.size())
        out[summary.latest.metric].emplace(staged.run, summary.latest);
    }
  }
  return {};
}

/// Those that are not what metric_latest has of their series.
Result<std::vector<FreshValue>> later_than_stored(Connection& connection, MetricNumber metric,
                                                  std::map<std::int64_t, Point> latest) {
  std::vector<std::int64_t> runs;
  for (const auto& [run, point] : latest) runs.push_back(run);
  Sql sql{"SELECT run, value, step, at_ms FROM metric_latest WHERE ", {}};
  sql.add(among("run", runs, connection.is_postgres())).add(" AND metric = ?", std::int64_t{metric});
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    const Point stored{metric, row.integer(2), row.integer(3), row.is_null(1) ? std::nan("") : row.number(1)};
    const auto found = latest.find(row.integer(0));
    if (!point_less(stored, found->second)) latest.erase(found);
    return true;
  }));
  std::vector<FreshValue> out;
  for (const auto& [run, point] : latest) out.push_back({run, point.value});
  return out;
}

}  // namespace

Result<std::optional<FreshValues>> read_fresh_values(Connection& connection, std::span<const std::int64_t> experiments,
                                                     std::span<const MetricNumber> metrics) {
  FreshValues out;
  if (metrics.empty()) return std::optional(std::move(out));
  const auto runs = TRY(waiting_runs(connection, experiments));
  if (!runs) return std::optional<FreshValues>();
  LatestByMetric latest;
  TRY(read_staged_points(connection, experiments, metrics, latest));
  if (!runs->empty()) TRY(read_log(connection, *runs, metrics, latest));
  for (auto& [metric, by_run] : latest) {
    auto values = TRY(later_than_stored(connection, metric, std::move(by_run)));
    if (!values.empty()) out.emplace(metric, std::move(values));
  }
  return std::optional(std::move(out));
}

Result<std::optional<std::vector<std::int64_t>>> read_fresh_metrics(Connection& connection,
                                                                    std::span<const std::int64_t> experiments) {
  const auto runs = TRY(waiting_runs(connection, experiments));
  if (!runs) return std::optional<std::vector<std::int64_t>>();
  std::unordered_set<std::int64_t> metrics;
  for (const StagedRun& staged : TRY(read_staged(connection, experiments))) {
    for (const SeriesSummary& summary : staged.summaries) metrics.insert(summary.latest.metric);
  }
  if (!runs->empty()) {
    TRY(for_each_batch(connection, *runs, [&](std::int64_t, const std::vector<Point>& batch) {
      for (const Point& point : batch) metrics.insert(point.metric);
    }));
  }
  return std::optional(std::vector<std::int64_t>(metrics.begin(), metrics.end()));
}

}  // namespace slipway::tracking

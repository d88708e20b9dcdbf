#include "tracking/fresh_values.h"

#include <algorithm>
#include <cmath>

#include "tracking/metric_codec.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {
namespace {

using catalog::Connection;

struct Latest {
  std::int64_t run = 0;
  Point point;
};
using LatestByMetric = std::map<MetricNumber, std::vector<Latest>>;

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

/// Each run's latest point in the log.
Result<LatestByMetric> latest_in_log(Connection& connection, const std::vector<std::int64_t>& runs,
                                     std::span<const MetricNumber> metrics) {
  LatestByMetric out;
  std::vector<Point> batch;
  Sql sql{"SELECT run, body FROM metric_batches WHERE ", {}};
  sql.add(among("run", runs, connection.is_postgres())).add(" ORDER BY run, id");
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    batch.clear();
    if (!parse_batch(row.blob(1), batch).ok()) return true;  // the sorter logs it; it must not end every search
    const std::int64_t run = row.integer(0);
    for (const Point& point : batch) {
      if (std::find(metrics.begin(), metrics.end(), point.metric) == metrics.end()) continue;
      auto& latest = out[point.metric];
      if (latest.empty() || latest.back().run != run)
        latest.push_back({run, point});
      else if (point_less(latest.back().point, point))
        latest.back().point = point;
    }
    return true;
  }));
  return out;
}

/// Those that come after what metric_latest has of their series.
Result<std::vector<FreshValue>> later_than_stored(Connection& connection, MetricNumber metric,
                                                  const std::vector<Latest>& latest) {
  std::vector<std::int64_t> runs;
  for (const Latest& one : latest) runs.push_back(one.run);
  std::vector<bool> is_stale(latest.size());
  Sql sql{"SELECT run, value, step, at_ms FROM metric_latest WHERE ", {}};
  sql.add(among("run", runs, connection.is_postgres())).add(" AND metric = ?", std::int64_t{metric});
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    const auto at = static_cast<size_t>(std::lower_bound(runs.begin(), runs.end(), row.integer(0)) - runs.begin());
    const Point stored{metric, row.integer(2), row.integer(3), row.is_null(1) ? std::nan("") : row.number(1)};
    is_stale[at] = !point_less(stored, latest[at].point);
    return true;
  }));
  std::vector<FreshValue> out;
  for (size_t i = 0; i < latest.size(); ++i) {
    if (!is_stale[i]) out.push_back({latest[i].run, latest[i].point.value});
  }
  return out;
}

}  // namespace

Result<std::optional<FreshValues>> read_fresh_values(Connection& connection, std::span<const std::int64_t> experiments,
                                                     std::span<const MetricNumber> metrics) {
  FreshValues out;
  if (metrics.empty()) return std::optional(std::move(out));
  const auto runs = TRY(waiting_runs(connection, experiments));
  if (!runs) return std::optional<FreshValues>();
  if (runs->empty()) return std::optional(std::move(out));
  for (const auto& [metric, latest] : TRY(latest_in_log(connection, *runs, metrics))) {
    auto values = TRY(later_than_stored(connection, metric, latest));
    if (!values.empty()) out.emplace(metric, std::move(values));
  }
  return std::optional(std::move(out));
}

}  // namespace slipway::tracking

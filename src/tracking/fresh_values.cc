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

/// A log of so many points is read whole, whatever experiments are asked for: some 4 ms. Of one that turns out longer
/// only their runs' part.
constexpr std::int64_t kWholeLogPointsMax = 200'000;

/// The latest point of each run, sorted by run.
using RunPoints = std::vector<std::pair<std::int64_t, Point>>;

/// Which part of the log has to be read.
struct LogPart {
  bool is_too_much = false;
  std::vector<std::int64_t> runs;
};

/// The runs of these experiments that have points in the log.
Result<LogPart> part_of_runs(Connection& connection, std::span<const std::int64_t> experiments) {
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
  const bool is_too_much = runs.size() > kFreshRunsMax || points > kFreshPointsMax;
  return LogPart{is_too_much, std::move(runs)};
}

/// take(run, points) for every batch of these runs (all when nullptr), run by run. Past so many points or batches it
/// stops, and is false.
template <typename Take>
Result<bool> for_each_batch(Connection& connection, const std::vector<std::int64_t>* runs, std::int64_t points_max,
                            size_t batches_max, Take take) {
  std::vector<Point> batch;
  Sql sql{"SELECT run, points, body FROM metric_batches", {}};
  if (runs) sql.add(" WHERE ").add(among("run", *runs, connection.is_postgres()));
  sql.add(" ORDER BY run, id");
  std::int64_t points = 0;
  size_t batches = 0;
  bool is_whole = true;
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    points += row.integer(1);
    is_whole = points <= points_max && ++batches <= batches_max;
    if (!is_whole) return false;
    batch.clear();
    // The sorter logs one that cannot be read; it must not end every search.
    if (parse_batch(row.blob(2), batch).ok()) take(row.integer(0), batch);
    return true;
  }));
  return is_whole;
}

/// The same of a part.
template <typename Take>
Result<void> for_each_batch(Connection& connection, const LogPart& part, Take take) {
  if (part.runs.empty()) return {};
  // As many as there are: part_of_runs() has counted them in the same snapshot.
  TRY(for_each_batch(connection, &part.runs, INT64_MAX, SIZE_MAX, take));
  return {};
}

/// Which of `metrics` it is; their number when it is none.
size_t index_of(std::span<const MetricNumber> metrics, MetricNumber metric) {
  return static_cast<size_t>(std::find(metrics.begin(), metrics.end(), metric) - metrics.begin());
}

void keep_latest(RunPoints& points, std::int64_t run, const Point& point) {
  if (points.empty() || points.back().first != run)
    points.emplace_back(run, point);
  else if (point_less(points.back().second, point))
    points.back().second = point;
}

/// Whether to begin reading the log whole. SQLite gives row by row, so that it costs little to begin and stop;
/// PostgreSQL would send it all.
Result<bool> may_be_short(Connection& connection) {
  if (!connection.is_postgres()) return true;
  const char* sum = "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM metric_batches";
  const auto points = TRY(connection.first(sum, {}, [](const catalog::Row& row) { return row.integer(0); }));
  return points.value_or(0) <= kWholeLogPointsMax;
}

/// Each run's latest points in the log, for each of `metrics`. nullopt when more lies there than a search may read.
Result<std::optional<std::vector<RunPoints>>> read_log(Connection& connection,
                                                       std::span<const std::int64_t> experiments,
                                                       std::span<const MetricNumber> metrics) {
  std::vector<RunPoints> out(metrics.size());
  const auto take = [&](std::int64_t run, const std::vector<Point>& batch) {
    for (const Point& point : batch) {
      if (const size_t index = index_of(metrics, point.metric); index < out.size()) keep_latest(out[index], run, point);
    }
  };
  if (TRY(may_be_short(connection)) &&
      TRY(for_each_batch(connection, nullptr, kWholeLogPointsMax, kFreshRunsMax, take)))
    return std::optional(std::move(out));
  const LogPart part = TRY(part_of_runs(connection, experiments));
  if (part.is_too_much) return std::optional<std::vector<RunPoints>>();
  out.assign(metrics.size(), {});
  TRY(for_each_batch(connection, part, take));
  return std::optional(std::move(out));
}

/// Each run's latest points among the staged summaries.
Result<std::vector<RunPoints>> read_staged_points(Connection& connection, std::span<const std::int64_t> experiments,
                                                  std::span<const MetricNumber> metrics) {
  std::vector<RunPoints> out(metrics.size());
  TRY(read_staged_latest(connection, experiments, metrics, [&](std::int64_t run, const Point& point) {
    keep_latest(out[index_of(metrics, point.metric)], run, point);
  }));
  return out;
}

Result<bool> has_stored(Connection& connection, std::span<const std::int64_t> experiments, MetricNumber metric) {
  if (experiments.empty()) return true;  // the index begins with the experiment
  Sql sql{"SELECT 1 FROM metric_latest WHERE ", {}};
  sql.add(one_of("experiment", experiments)).add(" AND metric = ? LIMIT 1", std::int64_t{metric});
  return TRY(connection.first(sql.text, sql.values, [](const catalog::Row&) { return true; })).has_value();
}

/// The newest run that metric_latest knows; 0 when it knows none.
Result<std::int64_t> newest_stored_run(Connection& connection) {
  return TRY(connection.first("SELECT MAX(run) FROM metric_latest", {},
                              [](const catalog::Row& row) { return row.integer(0); }))
      .value_or(0);
}

/// Takes out those that are no later than what metric_latest has of their series.
Result<void> drop_outdated(Connection& connection, MetricNumber metric, RunPoints& points) {
  std::vector<std::int64_t> runs;
  for (const auto& one : points) runs.push_back(one.first);
  std::unordered_set<std::int64_t> outdated;
  Sql sql{"SELECT run, value, step, at_ms FROM metric_latest WHERE ", {}};
  sql.add(among("run", runs, connection.is_postgres())).add(" AND metric = ?", std::int64_t{metric});
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    const Point stored{metric, row.integer(2), row.integer(3), row.is_null(1) ? std::nan("") : row.number(1)};
    const auto found = std::lower_bound(points.begin(), points.end(), row.integer(0),
                                        [](const auto& one, std::int64_t run) { return one.first < run; });
    if (!point_less(stored, found->second)) outdated.insert(found->first);
    return true;
  }));
  std::erase_if(points, [&](const auto& one) { return outdated.count(one.first) > 0; });
  return {};
}

/// The later of both where a run is in both; sorted by run.
std::vector<FreshValue> later_of(const RunPoints& staged, const RunPoints& logged) {
  std::vector<FreshValue> out;
  out.reserve(staged.size() + logged.size());
  auto a = staged.begin();
  for (auto b = logged.begin(); a != staged.end() || b != logged.end();) {
    if (b == logged.end() || (a != staged.end() && a->first < b->first)) {
      out.push_back({a->first, a->second.value});
      ++a;
    } else if (a == staged.end() || b->first < a->first) {
      out.push_back({b->first, b->second.value});
      ++b;
    } else {
      out.push_back({a->first, (point_less(a->second, b->second) ? b : a)->second.value});
      ++a;
      ++b;
    }
  }
  return out;
}

/// One metric's values. What is staged of a series counts instead of what is stored, so only runs that are in the log
/// alone are held against that; not those that began after all that is stored, as right after many runs have come.
Result<std::vector<FreshValue>> values_of(Connection& connection, std::span<const std::int64_t> experiments,
                                          MetricNumber metric, const RunPoints& staged, RunPoints logged) {
  RunPoints unstaged;
  const auto by_run = [](const auto& one, const auto& other) { return one.first < other.first; };
  std::set_difference(logged.begin(), logged.end(), staged.begin(), staged.end(), std::back_inserter(unstaged), by_run);
  const std::int64_t newest = unstaged.empty() ? 0 : TRY(newest_stored_run(connection));
  std::erase_if(unstaged, [&](const auto& one) { return one.first > newest; });
  if (!unstaged.empty() && TRY(has_stored(connection, experiments, metric))) {
    RunPoints both;
    std::set_difference(logged.begin(), logged.end(), unstaged.begin(), unstaged.end(), std::back_inserter(both),
                        by_run);
    TRY(drop_outdated(connection, metric, unstaged));
    logged.clear();
    std::merge(both.begin(), both.end(), unstaged.begin(), unstaged.end(), std::back_inserter(logged), by_run);
  }
  return later_of(staged, logged);
}

}  // namespace

Result<std::optional<FreshValues>> read_fresh_values(Connection& connection, std::span<const std::int64_t> experiments,
                                                     std::span<const MetricNumber> metrics) {
  FreshValues out;
  if (metrics.empty()) return std::optional(std::move(out));
  auto logged = TRY(read_log(connection, experiments, metrics));
  if (!logged) return std::optional<FreshValues>();
  const auto staged = TRY(read_staged_points(connection, experiments, metrics));
  for (size_t i = 0; i < metrics.size(); ++i) {
    auto values = TRY(values_of(connection, experiments, metrics[i], staged[i], std::move((*logged)[i])));
    if (!values.empty()) out.emplace(metrics[i], std::move(values));
  }
  return std::optional(std::move(out));
}

Result<std::optional<std::vector<std::int64_t>>> read_fresh_metrics(Connection& connection,
                                                                    std::span<const std::int64_t> experiments) {
  const LogPart part = TRY(part_of_runs(connection, experiments));
  if (part.is_too_much) return std::optional<std::vector<std::int64_t>>();
  std::unordered_set<std::int64_t> metrics;
  for (const StagedRun& staged : TRY(read_staged(connection, experiments))) {
    for (const SeriesSummary& summary : staged.summaries) metrics.insert(summary.latest.metric);
  }
  TRY(for_each_batch(connection, part, [&](std::int64_t, const std::vector<Point>& batch) {
    for (const Point& point : batch) metrics.insert(point.metric);
  }));
  return std::optional(std::vector<std::int64_t>(metrics.begin(), metrics.end()));
}

}  // namespace slipway::tracking

#include "tracking/staged_summaries.h"

#include <algorithm>
#include <tuple>

#include "base/log.h"
#include "tracking/metric_codec.h"
#include "tracking/search_sql.h"
#include "tracking/sort_units.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

void log_damaged(std::int64_t run, const Error& why) {
  log_error("tracking", "the summaries of a run's metrics cannot be read; they come right with its next points",
            {{"run", std::to_string(run)}, {"why", why.message}});
}

Sql staged_rows(const Sql& condition) {
  Sql sql{"SELECT run, experiment, id, body FROM metric_staged", {}};
  return sql.add(condition).add(" ORDER BY run");
}

Sql staged_in(std::span<const std::int64_t> experiments) {
  Sql condition;
  if (!experiments.empty()) condition.add(" WHERE ").add(one_of("experiment", experiments));
  return condition;
}

Result<std::vector<StagedRun>> read_rows(Connection& connection, const Sql& condition) {
  std::vector<StagedRun> out;
  const Sql sql = staged_rows(condition);
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    StagedRun staged{row.integer(0), row.integer(1), row.integer(2), {}};
    const auto parsed = parse_summaries(row.blob(3), staged.summaries);
    if (parsed.ok())
      out.push_back(std::move(staged));
    else
      log_damaged(staged.run, parsed.error());
    return true;
  }));
  return out;
}

constexpr auto kByMetric = [](const SeriesSummary& a, const SeriesSummary& b) {
  return a.latest.metric < b.latest.metric;
};

Result<void> write_latest(Connection& connection, std::int64_t experiment, std::int64_t run, const SeriesSummary& s) {
  TRY(connection.run(
      "INSERT INTO metric_latest (run, metric, experiment, value, step, at_ms, low, high, total, points) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, metric) DO UPDATE SET value = excluded.value, step = excluded.step, "
      "at_ms = excluded.at_ms, low = excluded.low, high = excluded.high, total = excluded.total, points = excluded.points",
      {run, std::int64_t{s.latest.metric}, experiment, s.latest.value, s.latest.step, s.latest.at_ms, s.low, s.high,
       s.total, s.points}));
  return {};
}

}  // namespace

Result<std::vector<StagedRun>> read_staged(Connection& connection, std::span<const std::int64_t> experiments) {
  return read_rows(connection, staged_in(experiments));
}

Result<void> read_staged_latest(Connection& connection, std::span<const std::int64_t> experiments,
                                std::span<const MetricNumber> metrics,
                                const std::function<void(std::int64_t run, const Point& point)>& take) {
  std::vector<Point> points;
  Sql sql{"SELECT run, body FROM metric_staged", {}};
  sql.add(staged_in(experiments)).add(" ORDER BY run");
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
    points.clear();
    const auto parsed = parse_summaries_latest(row.blob(1), metrics, points);
    if (!parsed.ok()) log_damaged(row.integer(0), parsed.error());
    for (const Point& point : points) take(row.integer(0), point);
    return true;
  }));
  return {};
}

Result<std::vector<StagedRun>> read_staged_of_runs(Connection& connection, std::span<const std::int64_t> runs) {
  Sql condition{" WHERE ", {}};
  return read_rows(connection, condition.add(among("run", runs, connection.is_postgres())));
}

std::vector<SeriesSummary> merge_summaries(std::span<const SeriesSummary> old, std::span<const SeriesSummary> later) {
  std::vector<SeriesSummary> out;
  out.reserve(old.size() + later.size());
  // Of equals set_union takes those of the first range.
  std::set_union(later.begin(), later.end(), old.begin(), old.end(), std::back_inserter(out), kByMetric);
  return out;
}

Result<void> write_staged(Connection& connection, const StagedRun& staged) {
  TRY(connection.run(
      "INSERT INTO metric_staged (run, experiment, id, pairs, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE "
      "SET id = excluded.id, pairs = excluded.pairs, body = excluded.body",
      {staged.run, staged.experiment, staged.id, static_cast<std::int64_t>(staged.summaries.size()),
       catalog::Blob{render_summaries(staged.summaries)}}));
  return {};
}

Result<CarryOver> CarryOver::prepare(Connection& connection, std::span<const std::int64_t> experiments) {
  CarryOver out;
  out.version = TRY(read_version(connection));
  for (const StagedRun& staged : TRY(read_staged(connection, experiments))) {
    out.rows_.push_back({staged.run, staged.id});
    for (const SeriesSummary& summary : staged.summaries)
      out.entries_.push_back({staged.experiment, staged.run, summary});
  }
  std::sort(out.entries_.begin(), out.entries_.end(), [](const Entry& a, const Entry& b) {
    const auto place = [](const Entry& e) { return std::tie(e.experiment, e.summary.latest.metric); };
    if (place(a) != place(b)) return place(a) < place(b);
    const double x = a.summary.latest.value, y = b.summary.latest.value;
    if (value_less(x, y) || value_less(y, x)) return value_less(x, y);
    return a.run < b.run;
  });
  return out;
}

Result<void> CarryOver::write_piece(Connection& connection, size_t count) const {
  const size_t end = std::min(at_ + count, steps());
  for (size_t i = at_; i < end; ++i) {
    if (i < entries_.size()) {
      TRY(write_latest(connection, entries_[i].experiment, entries_[i].run, entries_[i].summary));
    } else {
      const Carried& row = rows_[i - entries_.size()];
      TRY(connection.run("DELETE FROM metric_staged WHERE run = ? AND id = ?", {row.run, row.id}));
    }
  }
  return {};
}

}  // namespace slipway::tracking

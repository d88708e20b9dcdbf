#include "tracking/sort_units.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>

#include "base/log.h"
#include "tracking/metric_codec.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr size_t kDeleteIds = 256;            // batches removed by one statement
constexpr size_t kWriteBytesMax = 512 << 10;  // put into the database by one write, some 3 ms
constexpr size_t kBatchBytes = 100;           // what removing a batch is worth in this
constexpr int kPartBits = 20;                 // chunks of one write are numbered below the version
constexpr size_t kMergePointsMax = 2'000'000;

Result<std::map<MetricNumber, SeriesSummary>> read_known(Connection& connection, std::int64_t run,
                                                         const std::vector<MetricNumber>& metrics) {
  std::map<MetricNumber, SeriesSummary> out;
  const SummariesOfRuns known = TRY(read_sorted_summaries(connection, std::array{run}, &metrics));
  for (const SeriesSummary& summary : known.front()) out.emplace(summary.latest.metric, summary);
  return out;
}

/// The sorted points of one series, without the log's.
Result<std::vector<Point>> read_sorted_series(Connection& connection, std::int64_t run, MetricNumber metric) {
  std::vector<Point> points;
  Result<void> problem;
  TRY(connection.run("SELECT body FROM metric_chunks WHERE run = ? AND metric = ?", {run, std::int64_t{metric}},
                     [&](const catalog::Row& row) {
                       problem = parse_series(row.blob(0), metric, points);
                       return problem.ok();
                     }));
  TRY(std::move(problem));
  problem = {};
  TRY(connection.run("SELECT body FROM metric_segments WHERE run = ?", {run}, [&](const catalog::Row& row) {
    problem = parse_segment_series(row.blob(0), metric, points);
    return problem.ok();
  }));
  TRY(std::move(problem));
  sort_unique(points);
  return points;
}

/// Works out the new summaries, and drops the points that were there before: a client's retry counts once.
Result<void> summarise(Connection& connection, Unit& unit) {
  sort_unique(unit.points);
  std::vector<MetricNumber> metrics;
  const auto series = split_series(unit.points);
  for (const auto& points : series) metrics.push_back(points.front().metric);
  auto known = TRY(read_known(connection, unit.run, metrics));

  std::vector<Point> kept;
  kept.reserve(unit.points.size());
  for (const auto& points : series) {
    const MetricNumber metric = points.front().metric;
    const auto before = known.find(metric);
    SeriesSummary summary = before == known.end() ? no_summary(metric) : before->second;
    const size_t from = kept.size();
    if (summary.points == 0 || point_less(summary.latest, points.front())) {
      kept.insert(kept.end(), points.begin(), points.end());
    } else {
      const auto old = TRY(read_sorted_series(connection, unit.run, metric));
      std::set_difference(points.begin(), points.end(), old.begin(), old.end(), std::back_inserter(kept), point_less);
    }
    if (kept.size() == from) continue;
    add_points(summary, std::span<const Point>(kept).subspan(from));
    unit.summaries.push_back(summary);
  }
  unit.points = std::move(kept);
  return {};
}

/// Long series become chunks, the rest one segment.
void place(Unit& unit, std::span<const Point> points, const SorterOptions& options) {
  const size_t chunk_min = std::max<size_t>(options.chunk_points_min >> std::min<std::int64_t>(unit.level, 16), 64);
  std::vector<Point> rest;
  for (const auto& series : split_series(points)) {
    if (series.size() < chunk_min) {
      rest.insert(rest.end(), series.begin(), series.end());
      continue;
    }
    for (size_t from = 0; from < series.size(); from += options.chunk_points_max) {
      const auto part = series.subspan(from, std::min(options.chunk_points_max, series.size() - from));
      unit.chunks.push_back({part.front().metric, static_cast<std::int64_t>(part.size()), part.front().step,
                             part.back().step, render_series(part, true)});
    }
  }
  unit.segment_points = static_cast<std::int64_t>(rest.size());
  if (!rest.empty()) unit.segment = render_segment(rest);
}

/// Chooses which older segments the new points are merged with: level by level while there are enough of them.
Result<std::vector<Point>> merge(Connection& connection, Unit& unit, const SorterOptions& options) {
  auto segments = TRY(connection.rows("SELECT id, level, points FROM metric_segments WHERE run = ?", {unit.run},
                                      [](const catalog::Row& row) {
                                        return Segment{row.integer(0), row.integer(1), row.integer(2)};
                                      }));
  std::vector<Point> points = unit.points;
  while (true) {
    std::int64_t same = 0, total = static_cast<std::int64_t>(points.size());
    for (const Segment& s : segments) {
      if (s.level != unit.level) continue;
      ++same;
      total += s.points;
    }
    const bool enough = same + 1 >= static_cast<std::int64_t>(options.merge_segments) ||
                        (same > 0 && total >= static_cast<std::int64_t>(kMergePointsMax) / 4);
    if (!enough || total > static_cast<std::int64_t>(kMergePointsMax)) return points;
    for (const Segment& s : segments) {
      if (s.level != unit.level) continue;
      Result<void> problem;
      TRY(connection.run("SELECT body FROM metric_segments WHERE run = ? AND id = ?", {unit.run, s.id},
                         [&](const catalog::Row& row) {
                           problem = parse_segment(row.blob(0), points);
                           return false;
                         }));
      TRY(std::move(problem));
      unit.merged.push_back(s);
    }
    sort_unique(points);
    ++unit.level;
  }
}

Result<void> delete_batches(Connection& connection, const Unit& unit) {
  static const std::string kMany = [] {
    std::string sql = "DELETE FROM metric_batches WHERE run = ? AND id IN (?";
    for (size_t i = 1; i < kDeleteIds; ++i) sql += ",?";
    return sql + ")";
  }();
  std::int64_t gone = 0;
  for (size_t from = 0; from < unit.batches.size();) {
    const size_t left = unit.batches.size() - from;
    const size_t count = left >= 8 ? std::min(left, kDeleteIds) : 1;
    catalog::Values values{unit.run};
    for (size_t i = 0; i < (count == 1 ? 1 : kDeleteIds); ++i)
      values.push_back(unit.batches[from + std::min(i, count - 1)]);
    gone += TRY(connection.run(
        count == 1 ? std::string_view("DELETE FROM metric_batches WHERE run = ? AND id = ?") : std::string_view(kMany),
        values));
    from += count;
  }
  if (gone != static_cast<std::int64_t>(unit.batches.size()))
    return Error{ErrorCode::cancelled, "batches were sorted by somebody else"};
  return {};
}

Result<void> apply_unit(Connection& connection, const Unit& unit, std::int64_t id) {
  TRY(delete_batches(connection, unit));
  for (const Segment& s : unit.merged)
    TRY(connection.run("DELETE FROM metric_segments WHERE run = ? AND id = ?", {unit.run, s.id}));
  if (!unit.segment.empty()) {
    TRY(connection.run("INSERT INTO metric_segments (run, id, level, points, body) VALUES (?, ?, ?, ?, ?)",
                       {unit.run, id, unit.level, unit.segment_points, catalog::Blob{unit.segment}}));
  }
  std::int64_t part = 0;
  for (const Chunk& chunk : unit.chunks) {
    TRY(connection.run(
        "INSERT INTO metric_chunks (run, metric, id, points, step_min, step_max, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        {unit.run, std::int64_t{chunk.metric}, id + part++, chunk.points, chunk.step_min, chunk.step_max,
         catalog::Blob{chunk.body}}));
  }
  if (unit.summaries.empty()) return {};
  return write_staged(connection, {unit.run, unit.experiment, id, unit.staged});
}

/// The run's staged row as it will be.
Result<void> stage(Connection& connection, Unit& unit) {
  unit.staged = unit.summaries;
  for (const StagedRun& before : TRY(read_staged_of_runs(connection, std::array{unit.run})))
    unit.staged = merge_summaries(before.summaries, unit.summaries);
  return {};
}

/// Works out each unit's new state, until enough summaries would change; the rest of the units is left.
Result<void> work_out(Connection& connection, const SorterOptions& options, Snapshot& snapshot) {
  size_t pairs = 0;
  for (size_t i = 0; i < snapshot.units.size(); ++i) {
    Unit& unit = snapshot.units[i];
    if (pairs >= options.pass_pairs_max) {
      snapshot.next_run = unit.run;
      snapshot.units.resize(i);
      return {};
    }
    TRY(summarise(connection, unit));
    TRY(stage(connection, unit));
    pairs += unit.summaries.size();
    if (!unit.points.empty()) place(unit, TRY(merge(connection, unit, options)), options);
  }
  return {};
}

/// Fills a snapshot's units with batches, until a pass is full.
class Gathering {
 public:
  Gathering(const SorterOptions& options, Snapshot& snapshot) : options_(options), snapshot_(snapshot) {}

  /// A row of run, id, body, experiment; false when it has to wait for another pass.
  bool take(const catalog::Row& row) {
    const std::int64_t run = row.integer(0);
    auto& units = snapshot_.units;
    const bool same_run = !units.empty() && units.back().run == run;
    if (points_ >= options_.pass_points_max || batches_ >= options_.pass_batches_max) {
      snapshot_.next_run = same_run && units.size() == 1 ? run + 1 : run;
      return false;
    }
    if (!same_run) {
      units.emplace_back();
      units.back().run = run;
      units.back().experiment = row.integer(3);
    }
    Unit& unit = units.back();
    if (unit.points.size() >= options_.unit_points_max) return snapshot_.more = true;  // the rest of this run waits
    add(unit, row.integer(1), row.blob(2));
    return true;
  }

 private:
  void add(Unit& unit, std::int64_t batch, std::string_view body) {
    const size_t before = unit.points.size();
    if (const auto parsed = parse_batch(body, unit.points); !parsed.ok()) {
      // It stays where it is: one damaged row must not keep everybody's points from being sorted.
      log_error("tracking", "a batch of metric points cannot be read",
                {{"run", std::to_string(unit.run)}, {"batch", std::to_string(batch)}, {"why", parsed.error().message}});
      return;
    }
    unit.batches.push_back(batch);
    points_ += unit.points.size() - before;
    ++batches_;
  }

  const SorterOptions& options_;
  Snapshot& snapshot_;
  size_t points_ = 0, batches_ = 0;
};

}  // namespace

Sql in_experiments(const std::vector<std::int64_t>& experiments) {
  Sql sql;
  if (!experiments.empty()) sql.add(" AND ").add(one_of("r.experiment", experiments));
  return sql;
}

Result<std::int64_t> read_version(Connection& connection) {
  return TRY(connection.first("SELECT version FROM metric_sorter WHERE id = 1", {},
                              [](const catalog::Row& row) { return row.integer(0); }))
      .value_or(0);
}

Result<void> move_version(Connection& connection, std::int64_t version) {
  const auto moved =
      TRY(connection.run("UPDATE metric_sorter SET version = version + 1 WHERE id = 1 AND version = ?", {version}));
  if (moved != 1) return Error{ErrorCode::cancelled, "another sorter was faster"};
  return {};
}

Result<Snapshot> prepare(Connection& connection, const SorterOptions& options, std::int64_t first,
                         const std::vector<std::int64_t>& experiments) {
  Snapshot out;
  out.version = TRY(read_version(connection));
  // CROSS JOIN holds SQLite to looking up only the runs that are in the log.
  Sql sql;
  sql.add(
      "SELECT b.run, b.id, b.body, r.experiment FROM metric_batches b CROSS JOIN runs r WHERE r.number = b.run AND b.run >= ?",
      first);
  sql.add(in_experiments(experiments)).add(" ORDER BY b.run, b.id");
  Gathering gathering(options, out);
  TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) { return gathering.take(row); }));
  std::erase_if(out.units, [](const Unit& unit) { return unit.batches.empty(); });
  TRY(work_out(connection, options, out));
  return out;
}

Result<void> apply(Connection& connection, std::span<const Unit> units, std::int64_t version) {
  TRY(move_version(connection, version));
  for (const Unit& unit : units) TRY(apply_unit(connection, unit, version << kPartBits));
  return {};
}

size_t group_size(std::span<const Unit> units) {
  size_t count = 0, bytes = 0;
  for (; count < units.size(); ++count) {
    const Unit& unit = units[count];
    bytes += unit.segment.size() + unit.staged.size() * sizeof(SeriesSummary) / 2 + unit.batches.size() * kBatchBytes;
    for (const Chunk& chunk : unit.chunks) bytes += chunk.body.size();
    if (count > 0 && bytes > kWriteBytesMax) break;
  }
  return count;
}

}  // namespace slipway::tracking

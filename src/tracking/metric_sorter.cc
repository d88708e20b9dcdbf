#include "tracking/metric_sorter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "base/ids.h"
#include "base/log.h"
#include "tracking/metric_codec.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kLease = std::chrono::seconds(15);
constexpr const char* kLeaseName = "metric-sorter";
constexpr size_t kDeleteIds = 256;        // batches removed by one statement
constexpr size_t kManySeries = 16;        // past this a run's summaries are read all at once
constexpr size_t kWritePairsMax = 1'000;  // rows of metric_latest changed by one write, about 5 ms
constexpr int kConflictsMax = 50;
constexpr size_t kExperimentsListedMax = 100;  // past this a search has everything sorted
constexpr int kPassesMax = 100;           // in a row, before the sorter looks up
constexpr int kPartBits = 20;             // chunks of one write are numbered below the version
constexpr size_t kMergePointsMax = 2'000'000;

struct Segment {
  std::int64_t id = 0, level = 0, points = 0;
};

struct Chunk {
  MetricNumber metric = 0;
  std::int64_t points = 0, step_min = 0, step_max = 0;
  std::string body;
};

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

}  // namespace

/// What one write does to one run.
struct MetricSorter::Unit {
  std::int64_t run = 0, experiment = 0;
  std::vector<std::int64_t> batches;    // consumed
  std::vector<Point> points;            // theirs, sorted, without those that were there before
  std::vector<SeriesSummary> summaries; // of the series touched, as they will be
  std::vector<Segment> merged;          // segments that go away
  std::int64_t level = 0;               // of the new segment
  std::string segment;                  // empty for none
  std::int64_t segment_points = 0;
  std::vector<Chunk> chunks;
};

namespace {

using Unit = MetricSorter::Unit;

Result<std::map<MetricNumber, SeriesSummary>> read_known(Connection& connection, std::int64_t run, std::span<const MetricNumber> metrics) {
  constexpr const char* kColumns = "SELECT metric, value, step, at_ms, low, high, total, points FROM metric_latest WHERE run = ?";
  std::map<MetricNumber, SeriesSummary> out;
  const auto take = [&](const catalog::Row& row) {
    const auto number = [&](int column) { return row.is_null(column) ? std::nan("") : row.number(column); };
    SeriesSummary s;
    s.latest = {static_cast<MetricNumber>(row.integer(0)), row.integer(2), row.integer(3), number(1)};
    s.low = number(4);
    s.high = number(5);
    s.total = row.number(6);
    s.points = row.integer(7);
    out.emplace(s.latest.metric, s);
    return true;
  };
  if (metrics.size() > kManySeries) {
    TRY(connection.run(kColumns, {run}, take));
    return out;
  }
  for (MetricNumber metric : metrics) TRY(connection.run(std::string(kColumns) + " AND metric = ?", {run, std::int64_t{metric}}, take));
  return out;
}

/// The sorted points of one series, without the log's.
Result<std::vector<Point>> read_sorted_series(Connection& connection, std::int64_t run, MetricNumber metric) {
  std::vector<Point> points;
  Result<void> problem;
  TRY(connection.run("SELECT body FROM metric_chunks WHERE run = ? AND metric = ?", {run, std::int64_t{metric}}, [&](const catalog::Row& row) {
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
      unit.chunks.push_back({part.front().metric, static_cast<std::int64_t>(part.size()), part.front().step, part.back().step, render_series(part, true)});
    }
  }
  unit.segment_points = static_cast<std::int64_t>(rest.size());
  if (!rest.empty()) unit.segment = render_segment(rest);
}

/// Chooses which older segments the new points are merged with: level by level while there are enough of them.
Result<std::vector<Point>> merge(Connection& connection, Unit& unit, const SorterOptions& options) {
  auto segments = TRY(connection.rows("SELECT id, level, points FROM metric_segments WHERE run = ?", {unit.run},
                                      [](const catalog::Row& row) { return Segment{row.integer(0), row.integer(1), row.integer(2)}; }));
  std::vector<Point> points = unit.points;
  while (true) {
    std::int64_t same = 0, total = static_cast<std::int64_t>(points.size());
    for (const Segment& s : segments) {
      if (s.level != unit.level) continue;
      ++same;
      total += s.points;
    }
    const bool enough = same + 1 >= static_cast<std::int64_t>(options.merge_segments) || (same > 0 && total >= static_cast<std::int64_t>(kMergePointsMax) / 4);
    if (!enough || total > static_cast<std::int64_t>(kMergePointsMax)) return points;
    for (const Segment& s : segments) {
      if (s.level != unit.level) continue;
      Result<void> problem;
      TRY(connection.run("SELECT body FROM metric_segments WHERE run = ? AND id = ?", {unit.run, s.id}, [&](const catalog::Row& row) {
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
    for (size_t i = 0; i < (count == 1 ? 1 : kDeleteIds); ++i) values.push_back(unit.batches[from + std::min(i, count - 1)]);
    gone += TRY(connection.run(count == 1 ? std::string_view("DELETE FROM metric_batches WHERE run = ? AND id = ?") : std::string_view(kMany), values));
    from += count;
  }
  if (gone != static_cast<std::int64_t>(unit.batches.size())) return Error{ErrorCode::cancelled, "batches were sorted by somebody else"};
  return {};
}

Result<void> apply_unit(Connection& connection, const Unit& unit, std::int64_t id) {
  TRY(delete_batches(connection, unit));
  for (const Segment& s : unit.merged) TRY(connection.run("DELETE FROM metric_segments WHERE run = ? AND id = ?", {unit.run, s.id}));
  if (!unit.segment.empty()) {
    TRY(connection.run("INSERT INTO metric_segments (run, id, level, points, body) VALUES (?, ?, ?, ?, ?)",
                       {unit.run, id, unit.level, unit.segment_points, catalog::Blob{unit.segment}}));
  }
  std::int64_t part = 0;
  for (const Chunk& chunk : unit.chunks) {
    TRY(connection.run("INSERT INTO metric_chunks (run, metric, id, points, step_min, step_max, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
                       {unit.run, std::int64_t{chunk.metric}, id + part++, chunk.points, chunk.step_min, chunk.step_max, catalog::Blob{chunk.body}}));
  }
  for (const SeriesSummary& s : unit.summaries) {
    TRY(connection.run("INSERT INTO metric_latest (run, metric, experiment, value, step, at_ms, low, high, total, points) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, metric) DO UPDATE SET value = excluded.value, step = excluded.step, "
                       "at_ms = excluded.at_ms, low = excluded.low, high = excluded.high, total = excluded.total, points = excluded.points",
                       {unit.run, std::int64_t{s.latest.metric}, unit.experiment, s.latest.value, s.latest.step, s.latest.at_ms, s.low, s.high, s.total, s.points}));
  }
  return {};
}

/// Stores what several units worked out, unless the version is not that of their snapshot any more.
Result<void> apply(Connection& connection, std::span<const Unit> units, std::int64_t version) {
  const auto moved = TRY(connection.run("UPDATE metric_sorter SET version = version + 1 WHERE id = 1 AND version = ?", {version}));
  if (moved != 1) return Error{ErrorCode::cancelled, "another sorter was faster"};
  for (const Unit& unit : units) TRY(apply_unit(connection, unit, version << kPartBits));
  return {};
}

/// How many of these units go into one write: at least one, and few enough to hold up other writers only shortly.
size_t group_size(std::span<const Unit> units) {
  size_t count = 0, pairs = 0;
  while (count < units.size() && (count == 0 || pairs + units[count].summaries.size() <= kWritePairsMax)) pairs += units[count++].summaries.size() + 1;
  return count;
}

struct Snapshot {
  std::int64_t version = 0;
  std::vector<Unit> units;
  bool more = false;           // some of a run's batches were left
  std::int64_t next_run = 0;   // where the next pass begins; 0 when this one saw the end
};

/// " AND r.experiment IN (?, …)", or nothing for all of them.
std::string in_experiments(const std::vector<std::int64_t>& experiments, catalog::Values& values) {
  if (experiments.empty()) return "";
  std::string sql = " AND r.experiment IN (";
  for (size_t i = 0; i < experiments.size(); ++i) sql += i ? ", ?" : "?";
  values.insert(values.end(), experiments.begin(), experiments.end());
  return sql + ")";
}

/// Works out each unit's new state, until enough rows of metric_latest would change; the rest of the units is left.
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
    pairs += unit.summaries.size();
    if (!unit.points.empty()) place(unit, TRY(merge(connection, unit, options)), options);
  }
  return {};
}

/// Takes batches up to the limits of a pass, beginning with run `first`, and works out one unit per run.
Result<Snapshot> prepare(Connection& connection, const SorterOptions& options, std::int64_t first, const std::vector<std::int64_t>& experiments) {
  Snapshot out;
  out.version = TRY(connection.first("SELECT version FROM metric_sorter WHERE id = 1", {}, [](const catalog::Row& r) { return r.integer(0); })).value_or(0);
  size_t points = 0, batches = 0;
  catalog::Values values{first};
  const std::string only = in_experiments(experiments, values);
  TRY(connection.run("SELECT b.run, b.id, b.body, r.experiment FROM metric_batches b JOIN runs r ON r.number = b.run WHERE b.run >= ?" + only +
                         " ORDER BY b.run, b.id",
                     values, [&](const catalog::Row& row) {
                       const std::int64_t run = row.integer(0);
                       const bool same_run = !out.units.empty() && out.units.back().run == run;
                       if (points >= options.pass_points_max || batches >= options.pass_batches_max) {
                         out.next_run = same_run && out.units.size() == 1 ? run + 1 : run;
                         return false;
                       }
                       if (!same_run) {
                         out.units.emplace_back();
                         out.units.back().run = run;
                         out.units.back().experiment = row.integer(3);
                       }
                       Unit& unit = out.units.back();
                       if (unit.points.size() >= options.unit_points_max) return out.more = true;  // the rest of this run waits
                       const size_t before = unit.points.size();
                       if (const auto parsed = parse_batch(row.blob(2), unit.points); !parsed.ok()) {
                         // It stays where it is: one damaged row must not keep everybody's points from being sorted.
                         log_error("tracking", "a batch of metric points cannot be read", {{"run", std::to_string(run)}, {"batch", std::to_string(row.integer(1))}, {"why", parsed.error().message}});
                         return true;
                       }
                       unit.batches.push_back(row.integer(1));
                       points += unit.points.size() - before;
                       ++batches;
                       return true;
                     }));
  std::erase_if(out.units, [](const Unit& unit) { return unit.batches.empty(); });
  TRY(work_out(connection, options, out));
  return out;
}

}  // namespace

SorterStep decide(const SorterOptions& options, std::int64_t pending_points, Duration since_last_pass) {
  if (pending_points >= options.pending_points_max) return SorterStep::sort;
  return since_last_pass >= options.delay_max ? SorterStep::sort : SorterStep::wait;
}

MetricSorter::MetricSorter(catalog::Database& database, MetricLog& log, const Clock& clock, Counters& counters, SorterOptions options)
    : database_(database),
      log_(log),
      clock_(clock),
      options_(options),
      holder_(new_id_text(clock)),
      sorted_(counters.counter("tracking_points_sorted_total", "Metric points moved from the log into sorted segments and chunks")),
      conflicts_(counters.counter("tracking_sort_conflicts_total", "Sorting writes refused because another sorter was faster")),
      took_(counters.latency("tracking_sort_seconds", "How long one pass of the metric sorter took")) {
  if (options_.background) thread_ = Thread("metric-sorter", [this] { loop(); });
}

MetricSorter::~MetricSorter() {
  *closed_.lock() = true;
  changed_.notify_all();
  thread_.join();
}

void MetricSorter::loop() {
  std::int64_t pending = 0;
  Time last = clock_.steady();
  while (true) {
    {
      auto closed = closed_.lock();
      if (closed.wait_until(changed_, std::chrono::steady_clock::now() + kTick, [&] { return *closed; })) return;
    }
    pending += log_.take_pending();
    if (decide(options_, pending, clock_.steady() - last) == SorterStep::wait) continue;
    if (leads()) {
      Result<Passed> done = Passed{true, true};
      for (int i = 0; i < kPassesMax && done.ok() && done->more; ++i) {
        const std::lock_guard lock(one_pass_);  // anew for each pass, so that a search gets its turn
        done = pass(next_run_, {});
      }
      if (!done.ok() && done.error().code != ErrorCode::cancelled) {
        log_warning("tracking", "metric points could not be sorted; they stay in the log", {{"why", done.error().message}});
      }
    }
    pending = 0;
    last = clock_.steady();
  }
}

/// On one PostgreSQL with several servers, one of them sorts in the background.
bool MetricSorter::leads() {
  if (!database_.is_postgres()) return true;
  const Time now = clock_.now();
  const auto held = database_.write_value(catalog::Durability::stream, [&](Connection& connection) -> Result<bool> {
    const auto taken = TRY(connection.run("INSERT INTO leases (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                                          "holder = excluded.holder, until = excluded.until WHERE leases.holder = excluded.holder OR leases.until < ?",
                                          {std::string(kLeaseName), holder_, (now + kLease).micros, now.micros}));
    return taken == 1;
  });
  return held.ok() && *held;
}

/// One pass over the batches of some experiments (all when empty), beginning with run `next_run`, which says afterwards where
/// the next one begins.
Result<MetricSorter::Passed> MetricSorter::pass(std::int64_t& next_run, const std::vector<std::int64_t>& experiments) {
  const Time start = clock_.steady();
  auto snapshot = TRY(database_.read_value([&](Connection& connection) { return prepare(connection, options_, next_run, experiments); }));
  const bool began_at_first = next_run == 0;
  next_run = snapshot.next_run;
  for (std::span<const Unit> rest(snapshot.units); !rest.empty();) {
    const auto group = rest.first(group_size(rest));
    rest = rest.subspan(group.size());
    const auto applied = database_.write(catalog::Durability::stream, catalog::Write([&](Connection& connection) { return apply(connection, group, snapshot.version); }));
    if (!applied.ok()) {
      if (applied.error().code == ErrorCode::cancelled) conflicts_.add();
      return applied.error();
    }
    ++snapshot.version;
    for (const Unit& unit : group) sorted_.add(unit.points.size());
  }
  if (!snapshot.units.empty()) took_.record(clock_.steady() - start);
  return Passed{!snapshot.units.empty(), snapshot.more || snapshot.next_run != 0 || !began_at_first};
}

Result<void> MetricSorter::catch_up(std::vector<std::int64_t> experiments) {
  if (experiments.size() > kExperimentsListedMax) experiments.clear();
  const auto newest = [&](Connection& connection) {
    return connection.first("SELECT MAX(id) FROM metric_batches", {}, [](const catalog::Row& row) { return row.maybe_integer(0); });
  };
  const auto limit = TRY(database_.read_value(newest));
  if (!limit || !*limit) return {};
  catalog::Values values{**limit};
  const std::string left_sql = "SELECT 1 FROM metric_batches b JOIN runs r ON r.number = b.run WHERE b.id <= ?" + in_experiments(experiments, values) + " LIMIT 1";
  std::int64_t next_run = 0;
  for (int conflicts = 0; conflicts < kConflictsMax;) {
    const std::lock_guard lock(one_pass_);
    const auto left = TRY(database_.read_value([&](Connection& connection) {
      return connection.first(left_sql, values, [](const catalog::Row&) { return true; });
    }));
    if (!left) return {};
    const auto done = pass(next_run, experiments);
    if (done.ok() && !done->anything && !done->more) return {};  // what is left cannot be read, and has been logged
    if (done.ok()) continue;
    if (done.error().code != ErrorCode::cancelled) return done.error();
    ++conflicts;
  }
  return Error{ErrorCode::busy, "metric points are being sorted by other servers; try again"};
}

}  // namespace slipway::tracking

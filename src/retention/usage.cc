#include "retention/usage.h"

namespace slipway::retention {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr Duration kDay = std::chrono::hours(24);
constexpr Duration kFreshInBackground = std::chrono::minutes(5);

/// A run without an end that started earlier than this is measured once a day, as one that is over.
constexpr Duration kRunsAtMost = std::chrono::hours(7 * 24);

/// What needs measuring: runs without a measure or changed since, those that may go on, and each once a day.
constexpr std::string_view kStale =
    " FROM runs r LEFT JOIN run_usage u ON u.run = r.number WHERE (u.run IS NULL OR u.measured_at < r.updated_at OR u.measured_at < ? OR "
    "(u.measured_at < ? AND (r.ended_at > u.measured_at - ? OR (r.ended_at IS NULL AND r.started_at > ?))))";
constexpr std::string_view kUpsert =
    "INSERT INTO run_usage (run, artifacts, points, logs, measured_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET "
    "artifacts = excluded.artifacts, points = excluded.points, logs = excluded.logs, measured_at = excluded.measured_at";

#define SUMS \
  "COUNT(*), CAST(COALESCE(SUM(u.artifacts), 0) AS BIGINT), CAST(COALESCE(SUM(u.points), 0) AS BIGINT), CAST(COALESCE(SUM(u.logs), 0) AS BIGINT)"
#define LARGEST_FIRST " ORDER BY SUM(u.artifacts + u.points + u.logs) DESC, 1 LIMIT ?"

constexpr std::string_view kByExperiment =
    "SELECT e.id, e.name, " SUMS
    " FROM runs r JOIN run_usage u ON u.run = r.number JOIN experiments e ON e.number = r.experiment WHERE r.project_id = ? "
    "GROUP BY e.id, e.name" LARGEST_FIRST;
constexpr std::string_view kByUser =
    "SELECT r.user_name, r.user_name, " SUMS
    " FROM runs r JOIN run_usage u ON u.run = r.number WHERE r.project_id = ? GROUP BY r.user_name" LARGEST_FIRST;
constexpr std::string_view kOfAll =
    "SELECT '', '', " SUMS " FROM runs r JOIN run_usage u ON u.run = r.number WHERE r.project_id = ?";
constexpr std::string_view kOfDeleted =
    "SELECT '', '', " SUMS " FROM runs r JOIN run_usage u ON u.run = r.number WHERE r.project_id = ? AND r.deleted = 1";
constexpr std::string_view kNamedFiles =
    "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM artifacts WHERE project_id = ?";
constexpr std::string_view kTraces =
    "SELECT CAST(COALESCE(SUM(span_bytes), 0) AS BIGINT) FROM traces WHERE project_id = ?";

UsageLine line_of(const Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), row.integer(2),
          Bytes{row.integer(3), row.integer(4), row.integer(5)}};
}

struct Stale {
  std::string sql;
  catalog::Values values;
};

Stale stale(const std::optional<ProjectId>& project, Time now, Duration fresh) {
  Stale out{std::string(kStale), {(now - kDay).micros, (now - fresh).micros, kDay.count(), (now - kRunsAtMost).micros}};
  if (!project) return out;
  out.sql += " AND r.project_id = ?";
  out.values.emplace_back(project->text);
  return out;
}

Result<std::int64_t> integer(Connection& c, std::string_view sql, const catalog::Values& values) {
  return TRY(c.first(sql, values, [](const Row& row) { return row.integer(0); })).value_or(0);
}

/// A run and what it takes.
struct Measure {
  std::int64_t run = 0;
  Bytes bytes;
};

}  // namespace

/// Reads first, so that the writer only takes down the figures.
Result<std::int64_t> Usage::measure(const std::optional<ProjectId>& project, Duration fresh) {
  const Time now = clock_.now();
  const auto measures = TRY(database_.read_value([&](Connection& c) -> Result<std::vector<Measure>> {
    Stale which = stale(project, now, fresh);
    which.values.emplace_back(kMeasuredAtOnce);
    const auto runs =
        TRY(c.rows("SELECT r.id, r.number, r.project_id" + which.sql + " LIMIT ?", which.values, [](const Row& row) {
          return tracking::DeletedRun{RunId(row.text(0)), row.integer(1), ProjectId(row.text(2)), {}, {}, {}, {}};
        }));
    std::vector<Measure> out;
    for (const tracking::DeletedRun& run : runs) {
      const auto bytes = TRY(bytes_of(c, run));
      out.push_back({run.number, bytes});
    }
    return out;
  }));
  if (measures.empty()) return std::int64_t{0};
  TRY(database_.write(Durability::stream, catalog::Write([&](Connection& c) -> Result<void> {
                        for (const Measure& m : measures)
                          TRY(c.run(kUpsert, {m.run, m.bytes.artifacts, m.bytes.points, m.bytes.logs, now.micros}));
                        return {};
                      })));
  return static_cast<std::int64_t>(measures.size());
}

Result<std::int64_t> Usage::measure_some() { return measure(std::nullopt, kFreshInBackground); }

Result<UsageReport> Usage::report(const ProjectId& project) {
  TRY(measure(project, kMeasureFresh));
  const auto files = TRY(references_.usage(project));
  return database_.read_value([&](Connection& c) -> Result<UsageReport> {
    UsageReport out;
    const UsageLine all = TRY(c.first(kOfAll, {project.text}, line_of)).value_or(UsageLine{});
    out.runs = all.runs;
    out.points = all.bytes.points;
    out.logs = all.bytes.logs;
    out.artifacts = static_cast<std::int64_t>(files.artifact_bytes);
    out.datasets = static_cast<std::int64_t>(files.dataset_bytes);
    out.shared = TRY(integer(c, kNamedFiles, {project.text})) - out.artifacts;
    out.traces = TRY(integer(c, kTraces, {project.text}));
    out.deleted = TRY(c.first(kOfDeleted, {project.text}, line_of)).value_or(UsageLine{}).bytes.total();
    out.experiments = TRY(c.rows(kByExperiment, {project.text, kUsageLinesMax}, line_of));
    out.users = TRY(c.rows(kByUser, {project.text, kUsageLinesMax}, line_of));
    const Stale which = stale(project, clock_.now(), kFreshInBackground);
    out.waiting = TRY(integer(c, "SELECT COUNT(*)" + which.sql, which.values));
    return out;
  });
}

}  // namespace slipway::retention

#include "tracking/projects.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "tracking/erasure.h"
#include "tracking/metric_codec.h"

namespace slipway::tracking {
namespace {

using catalog::Blob;
using catalog::Connection;
using catalog::Row;
using catalog::Value;

using NewNumbers = std::unordered_map<MetricNumber, MetricNumber>;

// Names that both projects have: the number here, the number there.
constexpr std::string_view kShared =
    "SELECT a.number, b.number FROM metric_names a JOIN metric_names b ON b.name = a.name AND b.project_id = ? "
    "WHERE a.project_id = ?";
constexpr std::string_view kRunsOf = "SELECT number FROM runs WHERE project_id = ?";

MetricNumber renumbered(const NewNumbers& numbers, MetricNumber metric) {
  const auto found = numbers.find(metric);
  return found == numbers.end() ? metric : found->second;
}

Result<std::string> batch_with(const NewNumbers& numbers, std::string_view body) {
  std::vector<Point> points;
  TRY(parse_batch(body, points));
  for (Point& point : points) point.metric = renumbered(numbers, point.metric);
  return render_batch(points);
}

Result<std::string> segment_with(const NewNumbers& numbers, std::string_view body) {
  std::vector<Point> points;
  TRY(parse_segment(body, points));
  for (Point& point : points) point.metric = renumbered(numbers, point.metric);
  std::sort(points.begin(), points.end(), point_less);
  return render_segment(points);
}

Result<std::string> summaries_with(const NewNumbers& numbers, std::string_view body) {
  std::vector<SeriesSummary> summaries;
  TRY(parse_summaries(body, summaries));
  for (SeriesSummary& summary : summaries) summary.latest.metric = renumbered(numbers, summary.latest.metric);
  std::sort(summaries.begin(), summaries.end(),
            [](const auto& a, const auto& b) { return a.latest.metric < b.latest.metric; });
  return render_summaries(summaries);
}

struct Bodies {
  const char* table;
  Result<std::string> (*rewrite)(const NewNumbers&, std::string_view);
};
constexpr Bodies kBodies[] = {
    {"metric_batches", batch_with}, {"metric_segments", segment_with}, {"metric_staged", summaries_with}};

/// Row by row, so that one body at a time is in memory.
Result<void> rewrite_bodies(Connection& c, const Bodies& bodies, const ProjectId& from, const NewNumbers& numbers) {
  const auto rows = TRY(c.rows(fmt::format("SELECT run, id FROM {} WHERE run IN ({})", bodies.table, kRunsOf),
                               {from.text}, [](const Row& row) { return std::pair(row.integer(0), row.integer(1)); }));
  const std::string select = fmt::format("SELECT body FROM {} WHERE run = ? AND id = ?", bodies.table);
  const std::string update = fmt::format("UPDATE {} SET body = ? WHERE run = ? AND id = ?", bodies.table);
  for (const auto& [run, id] : rows) {
    const auto body = TRY(c.first(select, {run, id}, [](const Row& row) { return std::string(row.blob(0)); }));
    if (body) TRY(c.run(update, {Blob{TRY(bodies.rewrite(numbers, *body))}, run, id}));
  }
  return {};
}

Result<void> check_rewritten(Connection& c, const ProjectId& from) {
  std::int64_t points = 0;
  for (const char* table : {"metric_batches", "metric_segments"}) {
    const std::string sql =
        fmt::format("SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM {} WHERE run IN ({})", table, kRunsOf);
    points += TRY(c.first(sql, {from.text}, [](const Row& row) { return row.integer(0); })).value_or(0);
  }
  if (points <= kPointsRewrittenMax) return {};
  return Error{
      ErrorCode::failed_precondition,
      fmt::format("both projects have metrics of the same names, so that {} points would have to be rewritten at "
                  "once; at most {} are. Remove runs that are not needed for good, or export and import them",
                  points, kPointsRewrittenMax)};
}

/// Of tables whose rows have the number in a column of its own.
Result<void> renumber_rows(Connection& c, const char* table, const ProjectId& from, const ProjectId& to) {
  const std::string sql = fmt::format(
      "UPDATE {0} SET metric = (SELECT b.number FROM metric_names a JOIN metric_names b ON b.name = a.name AND "
      "b.project_id = ? WHERE a.number = {0}.metric) WHERE run IN ({1}) AND metric IN (SELECT a.number FROM metric_names a "
      "JOIN metric_names b ON b.name = a.name AND b.project_id = ? WHERE a.project_id = ?)",
      table, kRunsOf);
  TRY(c.run(sql, {to.text, from.text, to.text, from.text}));
  return {};
}

}  // namespace

Result<std::int64_t> begin_erasures_of_project(Connection& c, const ProjectId& project, Time now, std::int64_t most) {
  const auto runs = TRY(c.rows("SELECT number, id FROM runs WHERE project_id = ? LIMIT ?", {project.text, most},
                               [](const Row& row) { return std::pair(row.integer(0), RunId(row.text(1))); }));
  for (const auto& [number, id] : runs) {
    TRY(c.run("UPDATE runs SET deleted = 1 WHERE number = ?", {number}));
    TRY(begin_run_erasure(c, {.id = id, .number = number, .project = project}, now));
  }
  if (!runs.empty()) return static_cast<std::int64_t>(runs.size());
  TRY(c.run("UPDATE experiments SET deleted = 1 WHERE project_id = ?", {project.text}));
  return c.run(
      "INSERT INTO experiment_erasures (number, project_id, begun_at) SELECT number, project_id, CAST(? AS BIGINT) FROM "
      "experiments WHERE project_id = ? ON CONFLICT (number) DO NOTHING",
      {now.micros, project.text});
}

Result<void> move_metrics(Connection& c, const ProjectId& from, const ProjectId& to) {
  NewNumbers numbers;
  TRY(c.run(kShared, {to.text, from.text}, [&](const Row& row) {
    numbers.emplace(static_cast<MetricNumber>(row.integer(0)), static_cast<MetricNumber>(row.integer(1)));
    return true;
  }));
  if (!numbers.empty()) {
    TRY(check_rewritten(c, from));
    for (const Bodies& bodies : kBodies) TRY(rewrite_bodies(c, bodies, from, numbers));
    for (const char* table : {"metric_chunks", "metric_latest"}) TRY(renumber_rows(c, table, from, to));
  }
  // Shared names stay where they were, so that a number never loses its name.
  TRY(c.run(
      "UPDATE metric_names SET project_id = ? WHERE project_id = ? AND name NOT IN (SELECT name FROM metric_names "
      "WHERE project_id = ?)",
      {to.text, from.text, to.text}));
  TRY(c.run("UPDATE metric_sorter SET version = version + 1 WHERE id = 1", {}));
  return {};
}

}  // namespace slipway::tracking

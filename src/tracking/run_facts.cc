#include "tracking/run_facts.h"

#include <fmt/format.h>

#include "tracking/run_rows.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Row;

namespace {

constexpr std::string_view kFacts =
    "SELECT r.id, r.number, r.name, r.state, r.started_at, r.ended_at, "
    "(SELECT t.value FROM run_tags t WHERE t.run = r.number AND t.key = ?), "
    "(SELECT l.value FROM metric_latest l WHERE l.run = r.number AND l.metric = ?) "
    "FROM runs r WHERE r.experiment = ? AND r.deleted = 0 ORDER BY r.started_at DESC, r.id";

RunFacts facts_of(const Row& row) {
  RunFacts out;
  out.id = RunId(row.text(0));
  out.number = row.integer(1);
  out.name = row.text(2);
  out.state = parse_run_state(row.text(3)).value_or(RunState::running);
  out.started_at = Time{row.integer(4)};
  if (const auto ended = row.maybe_integer(5)) out.ended_at = Time{*ended};
  out.is_pinned = !row.is_null(6) && row.text(6) != "false";
  if (!row.is_null(7)) out.value = row.number(7);
  return out;
}

}  // namespace

Result<std::vector<ActiveExperiment>> active_experiments(Connection& connection, const ProjectId& project) {
  return connection.rows(
      "SELECT id, number, name FROM experiments WHERE project_id = ? AND deleted = 0 ORDER BY number", {project.text},
      [](const Row& row) {
        return ActiveExperiment{ExperimentId(row.text(0)), row.integer(1), std::string(row.text(2))};
      });
}

Result<std::vector<RunFacts>> read_run_facts(Connection& connection, std::int64_t experiment,
                                             std::optional<MetricNumber> metric) {
  const std::int64_t number = metric ? std::int64_t{*metric} : -1;
  return connection.rows(kFacts, {std::string(kPinnedTag), number, experiment}, facts_of);
}

Result<bool> may_be_deleted(Connection& connection, std::int64_t run) {
  return TRY(connection.first("SELECT 1 FROM runs r WHERE r.number = ? AND r.deleted = 0 AND NOT EXISTS "
                              "(SELECT 1 FROM run_tags t WHERE t.run = r.number AND t.key = ? AND t.value <> 'false')",
                              {run, std::string(kPinnedTag)}, [](const Row&) { return true; }))
      .has_value();
}

Result<bool> mark_run_deleted(Connection& connection, std::int64_t run, Time now) {
  return TRY(connection.run(
             "UPDATE runs SET deleted = 1, deleted_at = ?, updated_at = ? WHERE number = ? AND deleted = 0",
             {now.micros, now.micros, run})) > 0;
}

Result<void> note_files_deleted(Connection& connection, const RunId& run, std::int64_t number, const std::string& by,
                                Time now) {
  const RunRow row{run, number, 0, false, false};
  return set_tags(connection, row, {{std::string(kFilesDeletedTag), fmt::format("{} {}", render(now), by)}}, now);
}

}  // namespace slipway::tracking

#include "pipelines/rows.h"

#include "base/text.h"

namespace slipway::pipelines::rows {
namespace {

using catalog::Connection;
using catalog::Row;
using catalog::Value;

// The file may be large, and only few need it.
#define RUN_COLUMNS \
  "id, project_id, pipeline, state, member, reason, snapshot, manifest, parameters, created_at, ended_at, rerun_of, ancestors"
#define NODE_COLUMNS \
  "name, position, kind, state, handle, cache, cache_key, why, result, message, started_at, ended_at, needs"

std::string words_text(const std::vector<std::string>& words) { return join(words, " "); }
std::vector<std::string> words_of(std::string_view text) {
  return text.empty() ? std::vector<std::string>() : split(text, ' ');
}

std::optional<Time> maybe_time(const Row& row, int column) {
  const auto micros = row.maybe_integer(column);
  return micros ? std::optional(Time{*micros}) : std::nullopt;
}

Value nullable(const std::optional<Time>& time) { return time ? Value(time->micros) : Value(nullptr); }

/// Rows hold what render() wrote.
Json json_of(std::string_view text) { return Json::parse(text).value_or(Json(Json::Object{})); }

PipelineRun run_of(const Row& row) {
  PipelineRun run;
  run.id = PipelineRunId(row.text(0));
  run.project = ProjectId(row.text(1));
  run.pipeline = row.text(2);
  run.state = parse_pipeline_run_state(row.text(3)).value_or(PipelineRunState::failed);
  run.member = row.text(4);
  run.reason = row.text(5);
  run.snapshot = row.text(6);
  run.manifest = row.text(7);
  run.parameters = json_of(row.text(8));
  run.created_at = Time{row.integer(9)};
  run.ended_at = maybe_time(row, 10);
  if (!row.text(11).empty()) run.rerun_of = PipelineRunId(row.text(11));
  run.ancestors = words_of(row.text(12));
  return run;
}

NodeRow node_of(const Row& row) {
  NodeRow node;
  node.node = row.text(0);
  node.position = row.integer(1);
  node.kind = row.text(2);
  node.state = parse_node_state(row.text(3)).value_or(NodeState::failed);
  node.handle = row.text(4);
  node.cache = row.text(5);
  node.cache_key = row.text(6);
  node.why = row.text(7);
  node.result = json_of(row.text(8));
  node.message = row.text(9);
  node.started_at = maybe_time(row, 10);
  node.ended_at = maybe_time(row, 11);
  node.needs = words_of(row.text(12));
  return node;
}

NodeResult result_of(const Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)),
          json_of(row.text(3)),     json_of(row.text(4)),     PipelineRunId(row.text(5))};
}

Cause cause_of(const Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2))};
}

Result<void> add_parts(Connection& c, std::vector<PipelineRun>& runs) {
  for (PipelineRun& run : runs) {
    run.nodes = TRY(c.rows("SELECT " NODE_COLUMNS " FROM pipeline_nodes WHERE pipeline_run_id = ? ORDER BY position",
                           {run.id.text}, node_of));
    run.causes =
        TRY(c.rows("SELECT name, kind, why FROM pipeline_run_causes WHERE pipeline_run_id = ? ORDER BY position",
                   {run.id.text}, cause_of));
  }
  return {};
}

Result<void> insert_node(Connection& c, const PipelineRunId& run, const NodeRow& node) {
  TRY(c.run("INSERT INTO pipeline_nodes (pipeline_run_id, " NODE_COLUMNS
            ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {run.text, node.node, node.position, node.kind, std::string(name(node.state)), node.handle, node.cache,
             node.cache_key, node.why, node.result.render(), node.message, nullable(node.started_at),
             nullable(node.ended_at), words_text(node.needs)}));
  return {};
}

}  // namespace

Result<void> insert_run(Connection& c, const PipelineRun& run) {
  TRY(c.run("INSERT INTO pipeline_runs (" RUN_COLUMNS ", file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {run.id.text, run.project.text, run.pipeline, std::string(name(run.state)), run.member, run.reason,
             run.snapshot, run.manifest, run.parameters.render(), run.created_at.micros, nullable(run.ended_at),
             run.rerun_of ? run.rerun_of->text : "", words_text(run.ancestors), run.file}));
  for (const NodeRow& node : run.nodes) TRY(insert_node(c, run.id, node));
  for (size_t i = 0; i < run.causes.size(); ++i) {
    TRY(c.run("INSERT INTO pipeline_run_causes (pipeline_run_id, position, name, kind, why) VALUES (?, ?, ?, ?, ?)",
              {run.id.text, static_cast<std::int64_t>(i), run.causes[i].name, run.causes[i].kind, run.causes[i].why}));
  }
  return {};
}

Result<void> update_run(Connection& c, const PipelineRunId& id, PipelineRunState state, std::optional<Time> ended_at) {
  TRY(c.run("UPDATE pipeline_runs SET state = ?, ended_at = ? WHERE id = ?",
            {std::string(name(state)), nullable(ended_at), id.text}));
  return {};
}

Result<std::optional<PipelineRun>> select_run(Connection& c, const ProjectId& project, const PipelineRunId& id) {
  auto found = TRY(c.rows("SELECT " RUN_COLUMNS " FROM pipeline_runs WHERE project_id = ? AND id = ?",
                          {project.text, id.text}, run_of));
  if (found.empty()) return std::optional<PipelineRun>();
  TRY(add_parts(c, found));
  found.front().file = TRY(select_file(c, id));
  return std::optional(std::move(found.front()));
}

Result<std::vector<PipelineRun>> select_runs(Connection& c, const ProjectId& project, std::string_view pipeline,
                                             size_t most, std::string_view before) {
  const std::string limit = before.empty() ? "\x7f" : std::string(before);
  const auto most_rows = static_cast<std::int64_t>(most);
  auto found =
      pipeline.empty()
          ? TRY(c.rows("SELECT " RUN_COLUMNS
                       " FROM pipeline_runs WHERE project_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
                       {project.text, limit, most_rows}, run_of))
          : TRY(c.rows("SELECT " RUN_COLUMNS
                       " FROM pipeline_runs WHERE project_id = ? AND pipeline = ? AND id < ? ORDER BY id DESC LIMIT ?",
                       {project.text, std::string(pipeline), limit, most_rows}, run_of));
  TRY(add_parts(c, found));
  return found;
}

Result<std::vector<PipelineRun>> select_running(Connection& c, size_t most) {
  auto found =
      TRY(c.rows("SELECT " RUN_COLUMNS " FROM pipeline_runs WHERE state IN ('running', 'stopping') ORDER BY id LIMIT ?",
                 {static_cast<std::int64_t>(most)}, run_of));
  TRY(add_parts(c, found));
  return found;
}

Result<std::int64_t> count_running(Connection& c) {
  const auto number = [](const Row& row) { return row.integer(0); };
  return TRY(c.first("SELECT COUNT(*) FROM pipeline_runs WHERE state IN ('running', 'stopping')", {}, number))
      .value_or(0);
}

Result<std::string> select_file(Connection& c, const PipelineRunId& id) {
  const auto text = [](const Row& row) { return std::string(row.text(0)); };
  return TRY(c.first("SELECT file FROM pipeline_runs WHERE id = ?", {id.text}, text)).value_or("");
}

Result<std::vector<std::pair<std::string, std::int64_t>>> count_runs(Connection& c, const ProjectId& project) {
  return c.rows("SELECT pipeline, COUNT(*) FROM pipeline_runs WHERE project_id = ? GROUP BY pipeline ORDER BY pipeline",
                {project.text}, [](const Row& row) { return std::pair(std::string(row.text(0)), row.integer(1)); });
}

Result<std::optional<PipelineRunId>> select_in_flight(Connection& c, const ProjectId& project,
                                                      std::string_view pipeline) {
  return c.first(
      "SELECT id FROM pipeline_runs WHERE project_id = ? AND pipeline = ? AND state IN ('running', 'stopping') ORDER BY id LIMIT 1",
      {project.text, std::string(pipeline)}, [](const Row& row) { return PipelineRunId(row.text(0)); });
}

Result<std::optional<PipelineRun>> select_run_of_handle(Connection& c, const ProjectId& project,
                                                        std::string_view handle) {
  return c.first(
      "SELECT " RUN_COLUMNS
      " FROM pipeline_runs WHERE project_id = ? AND id IN (SELECT pipeline_run_id FROM pipeline_nodes WHERE handle = ? AND cache <> 'kept') ORDER BY id LIMIT 1",
      {project.text, std::string(handle)}, run_of);
}

Result<void> select_snapshots(Connection& c, const std::function<void(const std::string&, const std::string&)>& visit) {
  const auto told = [&](const Row& row) {
    visit(std::string(row.text(0)), std::string(row.text(1)));
    return true;
  };
  TRY(c.run("SELECT DISTINCT snapshot, manifest FROM pipeline_runs WHERE snapshot <> ''", {}, told));
  TRY(c.run("SELECT DISTINCT snapshot, manifest FROM pipeline_definitions WHERE snapshot <> ''", {}, told));
  return {};
}

Result<void> update_node(Connection& c, const PipelineRunId& run, const NodeRow& node) {
  TRY(c.run(
      "UPDATE pipeline_nodes SET state = ?, handle = ?, cache = ?, cache_key = ?, why = ?, result = ?, message = ?, started_at = ?, ended_at = ? WHERE pipeline_run_id = ? AND name = ?",
      {std::string(name(node.state)), node.handle, node.cache, node.cache_key, node.why, node.result.render(),
       node.message, nullable(node.started_at), nullable(node.ended_at), run.text, node.node}));
  return {};
}

Result<void> upsert_result(Connection& c, const ProjectId& project, const NodeResult& result, Time at) {
  TRY(c.run(
      "INSERT INTO node_results (project_id, cache_key, pipeline, node, parts, result, pipeline_run_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (project_id, cache_key) DO UPDATE SET result = excluded.result, pipeline_run_id = excluded.pipeline_run_id, created_at = excluded.created_at",
      {project.text, result.cache_key, result.pipeline, result.node, result.parts.render(), result.result.render(),
       result.pipeline_run.text, at.micros}));
  return {};
}

Result<std::optional<NodeResult>> select_result(Connection& c, const ProjectId& project, std::string_view cache_key) {
  return c.first(
      "SELECT cache_key, pipeline, node, parts, result, pipeline_run_id FROM node_results WHERE project_id = ? AND cache_key = ?",
      {project.text, std::string(cache_key)}, result_of);
}

Result<std::optional<NodeResult>> select_latest_result(Connection& c, const ProjectId& project,
                                                       std::string_view pipeline, std::string_view node) {
  return c.first(
      "SELECT cache_key, pipeline, node, parts, result, pipeline_run_id FROM node_results WHERE project_id = ? AND pipeline = ? AND node = ? ORDER BY created_at DESC LIMIT 1",
      {project.text, std::string(pipeline), std::string(node)}, result_of);
}

}  // namespace slipway::pipelines::rows

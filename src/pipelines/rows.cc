#include "pipelines/rows.h"

namespace slipway::pipelines::rows {
namespace {

using catalog::Connection;
using catalog::Row;
using catalog::Value;

#define RUN_COLUMNS "id, project_id, pipeline, state, member, reason, file, snapshot, parameters, created_at, ended_at"
#define NODE_COLUMNS "name, position, kind, state, handle, cache, cache_key, why, result, message, started_at, ended_at"

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
  run.file = row.text(6);
  run.snapshot = row.text(7);
  run.parameters = json_of(row.text(8));
  run.created_at = Time{row.integer(9)};
  run.ended_at = maybe_time(row, 10);
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
  return node;
}

NodeResult result_of(const Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), json_of(row.text(3)), json_of(row.text(4)), PipelineRunId(row.text(5))};
}

Result<void> add_nodes(Connection& c, std::vector<PipelineRun>& runs) {
  for (PipelineRun& run : runs) {
    run.nodes = TRY(c.rows("SELECT " NODE_COLUMNS " FROM pipeline_nodes WHERE pipeline_run_id = ? ORDER BY position", {run.id.text}, node_of));
  }
  return {};
}

}  // namespace

Result<void> insert_run(Connection& c, const PipelineRun& run) {
  TRY(c.run("INSERT INTO pipeline_runs (" RUN_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            {run.id.text, run.project.text, run.pipeline, std::string(name(run.state)), run.member, run.reason, run.file, run.snapshot, run.parameters.render(), run.created_at.micros}));
  for (const NodeRow& node : run.nodes) {
    TRY(c.run("INSERT INTO pipeline_nodes (pipeline_run_id, " NODE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
              {run.id.text, node.node, node.position, node.kind, std::string(name(node.state)), node.handle, node.cache, node.cache_key, node.why, node.result.render(), node.message,
               nullable(node.started_at), nullable(node.ended_at)}));
  }
  return {};
}

Result<void> update_run(Connection& c, const PipelineRunId& id, PipelineRunState state, std::optional<Time> ended_at) {
  TRY(c.run("UPDATE pipeline_runs SET state = ?, ended_at = ? WHERE id = ?", {std::string(name(state)), nullable(ended_at), id.text}));
  return {};
}

Result<std::optional<PipelineRun>> select_run(Connection& c, const ProjectId& project, const PipelineRunId& id) {
  auto found = TRY(c.rows("SELECT " RUN_COLUMNS " FROM pipeline_runs WHERE project_id = ? AND id = ?", {project.text, id.text}, run_of));
  TRY(add_nodes(c, found));
  if (found.empty()) return std::optional<PipelineRun>();
  return std::optional(std::move(found.front()));
}

Result<std::vector<PipelineRun>> select_runs(Connection& c, const ProjectId& project, size_t most, std::string_view before) {
  const std::string limit = before.empty() ? "\x7f" : std::string(before);
  auto found = TRY(c.rows("SELECT " RUN_COLUMNS " FROM pipeline_runs WHERE project_id = ? AND id < ? ORDER BY id DESC LIMIT ?", {project.text, limit, static_cast<std::int64_t>(most)}, run_of));
  TRY(add_nodes(c, found));
  return found;
}

Result<std::vector<PipelineRun>> select_running(Connection& c, size_t most) {
  auto found = TRY(c.rows("SELECT " RUN_COLUMNS " FROM pipeline_runs WHERE state IN ('running', 'stopping') ORDER BY id LIMIT ?", {static_cast<std::int64_t>(most)}, run_of));
  TRY(add_nodes(c, found));
  return found;
}

Result<void> update_node(Connection& c, const PipelineRunId& run, const NodeRow& node) {
  TRY(c.run("UPDATE pipeline_nodes SET state = ?, handle = ?, cache = ?, cache_key = ?, why = ?, result = ?, message = ?, started_at = ?, ended_at = ? WHERE pipeline_run_id = ? AND name = ?",
            {std::string(name(node.state)), node.handle, node.cache, node.cache_key, node.why, node.result.render(), node.message, nullable(node.started_at), nullable(node.ended_at), run.text, node.node}));
  return {};
}

Result<void> upsert_result(Connection& c, const ProjectId& project, const NodeResult& result, Time at) {
  TRY(c.run("INSERT INTO node_results (project_id, cache_key, pipeline, node, parts, result, pipeline_run_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (project_id, cache_key) DO UPDATE SET result = excluded.result, pipeline_run_id = excluded.pipeline_run_id, created_at = excluded.created_at",
            {project.text, result.cache_key, result.pipeline, result.node, result.parts.render(), result.result.render(), result.pipeline_run.text, at.micros}));
  return {};
}

Result<std::optional<NodeResult>> select_result(Connection& c, const ProjectId& project, std::string_view cache_key) {
  return c.first("SELECT cache_key, pipeline, node, parts, result, pipeline_run_id FROM node_results WHERE project_id = ? AND cache_key = ?", {project.text, std::string(cache_key)}, result_of);
}

Result<std::optional<NodeResult>> select_latest_result(Connection& c, const ProjectId& project, std::string_view pipeline, std::string_view node) {
  return c.first("SELECT cache_key, pipeline, node, parts, result, pipeline_run_id FROM node_results WHERE project_id = ? AND pipeline = ? AND node = ? ORDER BY created_at DESC LIMIT 1",
                 {project.text, std::string(pipeline), std::string(node)}, result_of);
}

}  // namespace slipway::pipelines::rows

// All SQL of pipelines.
#pragma once

#include "pipelines/pipelines.h"

namespace slipway::pipelines::rows {

Result<void> insert_run(catalog::Connection& c, const PipelineRun& run);
Result<void> update_run(catalog::Connection& c, const PipelineRunId& id, PipelineRunState state, std::optional<Time> ended_at);
Result<std::optional<PipelineRun>> select_run(catalog::Connection& c, const ProjectId& project, const PipelineRunId& id);
/// Newest first, ids below `before` when it is set.
Result<std::vector<PipelineRun>> select_runs(catalog::Connection& c, const ProjectId& project, size_t most, std::string_view before);
/// Those that are running or stopping, of all projects, oldest first.
Result<std::vector<PipelineRun>> select_running(catalog::Connection& c, size_t most);
Result<void> update_node(catalog::Connection& c, const PipelineRunId& run, const NodeRow& node);

/// What a node made of these inputs before.
struct NodeResult {
  std::string cache_key, pipeline, node;
  Json parts, result;
  PipelineRunId pipeline_run;
};
Result<void> upsert_result(catalog::Connection& c, const ProjectId& project, const NodeResult& result, Time at);
Result<std::optional<NodeResult>> select_result(catalog::Connection& c, const ProjectId& project, std::string_view cache_key);
/// The newest result of the node of that name, whatever its inputs.
Result<std::optional<NodeResult>> select_latest_result(catalog::Connection& c, const ProjectId& project, std::string_view pipeline, std::string_view node);

}  // namespace slipway::pipelines::rows

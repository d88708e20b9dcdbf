// All SQL of pipelines, their nodes and results. definition_rows.h has that of definitions and triggers.
#pragma once

#include "catalog/catalog.h"
#include "pipelines/pipeline_run.h"

namespace slipway::pipelines::rows {

Result<void> insert_run(catalog::Connection& c, const PipelineRun& run);
Result<void> update_run(catalog::Connection& c, const PipelineRunId& id, PipelineRunState state,
                        std::optional<Time> ended_at);
/// With its file, as the only one of the selects.
Result<std::optional<PipelineRun>> select_run(catalog::Connection& c, const ProjectId& project,
                                              const PipelineRunId& id);
/// Newest first, ids below `before` when it is set; of one pipeline when `pipeline` is not empty.
Result<std::vector<PipelineRun>> select_runs(catalog::Connection& c, const ProjectId& project,
                                             std::string_view pipeline, size_t most, std::string_view before);
/// Those that are running or stopping, of all projects, oldest first.
Result<std::vector<PipelineRun>> select_running(catalog::Connection& c, size_t most);
Result<std::int64_t> count_running(catalog::Connection& c);
Result<std::string> select_file(catalog::Connection& c, const PipelineRunId& id);
Result<void> update_node(catalog::Connection& c, const PipelineRunId& run, const NodeRow& node);

/// Each pipeline that ever ran, with the number of its runs.
Result<std::vector<std::pair<std::string, std::int64_t>>> count_runs(catalog::Connection& c, const ProjectId& project);
/// A run of this pipeline that is not over.
Result<std::optional<PipelineRunId>> select_in_flight(catalog::Connection& c, const ProjectId& project,
                                                      std::string_view pipeline);
/// The pipeline run one of whose nodes has this handle (a run's id), without its nodes.
Result<std::optional<PipelineRun>> select_run_of_handle(catalog::Connection& c, const ProjectId& project,
                                                        std::string_view handle);
/// Distinct hashes of trees, and of their manifests, that runs and definitions name.
Result<void> select_snapshots(catalog::Connection& c,
                              const std::function<void(const std::string& tree, const std::string& manifest)>& visit);

/// What a node made of these inputs before.
struct NodeResult {
  std::string cache_key, pipeline, node;
  Json parts, result;
  PipelineRunId pipeline_run;
};
Result<void> upsert_result(catalog::Connection& c, const ProjectId& project, const NodeResult& result, Time at);
Result<std::optional<NodeResult>> select_result(catalog::Connection& c, const ProjectId& project,
                                                std::string_view cache_key);
/// The newest result of the node of that name, whatever its inputs.
Result<std::optional<NodeResult>> select_latest_result(catalog::Connection& c, const ProjectId& project,
                                                       std::string_view pipeline, std::string_view node);

}  // namespace slipway::pipelines::rows

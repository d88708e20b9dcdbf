// A pipeline as a graph, and what to do next in it. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/project_file.h"

namespace slipway::pipelines {

enum class NodeState { waiting, running, finished, failed, skipped, stopped };
std::string_view name(NodeState state);
std::optional<NodeState> parse_node_state(std::string_view text);

enum class PipelineRunState { running, stopping, finished, failed, stopped };
std::string_view name(PipelineRunState state);
std::optional<PipelineRunState> parse_pipeline_run_state(std::string_view text);

inline constexpr size_t kPipelineNodesMax = 1000;

/// What a node does: "step", "evaluate", "deploy" or "sweep".
std::string_view kind_of(const PipelineNode& node);

/// "train.model": what the node `train` makes under the name `model`.
struct OutputName {
  std::string node, output;
  bool operator==(const OutputName&) const = default;
};
/// nullopt for what names no output of a node of this pipeline; references ("model:a@b") have a colon and are none.
std::optional<OutputName> output_named_by(std::string_view value, const Pipeline& pipeline);
/// Every value of a node that may be a reference or name an output; empty ones are left out.
std::vector<std::string> values_of(const PipelineNode& node);

/// The nodes in an order in which each comes after what it needs, with those needs: named by `after`, or by a value
/// such as "train.model"; a deployment also needs the evaluations of the version it deploys. invalid_argument names a
/// node that does not exist (and the nearest one) or the nodes of a circle.
struct Graph {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> needs;
};
Result<Graph> make_graph(const Pipeline& pipeline);

/// What to do now: nodes whose needs are all finished start; nodes that need one that failed, was skipped or stopped
/// are skipped, so that independent branches go on. `ended` once nothing runs and nothing can start.
struct Next {
  std::vector<std::string> start, skip;
  std::optional<PipelineRunState> ended;
};
Next decide(const Graph& graph, const std::map<std::string, NodeState>& states, bool stopping);

/// The node's declaration with every "other.output" replaced by that output of `results` (node -> result JSON).
/// failed_precondition when a finished node has no output of that name; lists those it has.
Result<PipelineNode> fill_in(const PipelineNode& node, const std::map<std::string, Json>& results);

/// The first part in which two sets of inputs differ, in words: "the parameters changed: lr was 0.01 and is 0.02".
std::string explain_difference(const Json& before, const Json& after);

}  // namespace slipway::pipelines

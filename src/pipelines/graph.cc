#include "pipelines/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/text.h"

namespace slipway::pipelines {
namespace {

constexpr std::array<std::pair<NodeState, std::string_view>, 6> kNodeStates = {{
    {NodeState::waiting, "waiting"},
    {NodeState::running, "running"},
    {NodeState::finished, "finished"},
    {NodeState::failed, "failed"},
    {NodeState::skipped, "skipped"},
    {NodeState::stopped, "stopped"},
}};

constexpr std::array<std::pair<PipelineRunState, std::string_view>, 5> kRunStates = {{
    {PipelineRunState::running, "running"},
    {PipelineRunState::stopping, "stopping"},
    {PipelineRunState::finished, "finished"},
    {PipelineRunState::failed, "failed"},
    {PipelineRunState::stopped, "stopped"},
}};

/// "train.model" -> ("train", "model") when `train` is a node; a reference such as "model:a@b" has a colon and is none.
std::optional<std::pair<std::string, std::string>> output_named_by(const std::string& value, const std::function<bool(const std::string&)>& is_node) {
  const size_t dot = value.find('.');
  if (dot == std::string::npos || value.find(':') != std::string::npos) return std::nullopt;
  std::pair<std::string, std::string> parts{value.substr(0, dot), value.substr(dot + 1)};
  return is_node(parts.first) ? std::optional(parts) : std::nullopt;
}

/// Every value of a node that may name another node's output.
template <typename Node, typename Visit>
void each_value(Node& node, Visit visit) {
  for (auto* value : {&node.model, &node.against, &node.dataset, &node.version}) visit(*value);
  for (auto& [input, value] : node.inputs) visit(value);
}

Result<void> collect_needs(const Pipeline& pipeline, const std::string& node_name, const PipelineNode& node, std::vector<std::string>& needs) {
  std::vector<std::string> known;
  for (const auto& [other, ignored] : pipeline.nodes) known.push_back(other);
  for (const std::string& before : node.after) {
    if (!find(pipeline.nodes, before)) {
      const auto near = nearest(before, known);
      return Error{ErrorCode::invalid_argument, fmt::format("the node '{}' comes after '{}', which is no node of the pipeline; {}", node_name, before,
                                                            near ? "did you mean '" + *near + "'?" : "its nodes are " + slipway::join(known, ", "))};
    }
    needs.push_back(before);
  }
  each_value(node, [&](const std::string& value) {
    if (const auto named = output_named_by(value, [&](const std::string& other) { return find(pipeline.nodes, other) != nullptr; })) needs.push_back(named->first);
  });
  std::sort(needs.begin(), needs.end());
  needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
  return {};
}

}  // namespace

std::string_view name(NodeState state) {
  for (const auto& [known, text] : kNodeStates) {
    if (known == state) return text;
  }
  return "";
}

std::optional<NodeState> parse_node_state(std::string_view text) {
  for (const auto& [known, known_text] : kNodeStates) {
    if (known_text == text) return known;
  }
  return std::nullopt;
}

std::string_view name(PipelineRunState state) {
  for (const auto& [known, text] : kRunStates) {
    if (known == state) return text;
  }
  return "";
}

std::optional<PipelineRunState> parse_pipeline_run_state(std::string_view text) {
  for (const auto& [known, known_text] : kRunStates) {
    if (known_text == text) return known;
  }
  return std::nullopt;
}

std::string_view kind_of(const PipelineNode& node) {
  if (!node.step.empty()) return "step";
  if (!node.evaluate.empty()) return "evaluate";
  if (!node.deploy.empty()) return "deploy";
  return "sweep";
}

Result<Graph> make_graph(const Pipeline& pipeline) {
  if (pipeline.nodes.empty()) return Error{ErrorCode::invalid_argument, "the pipeline has no nodes"};
  if (pipeline.nodes.size() > kPipelineNodesMax) {
    return Error{ErrorCode::too_large, fmt::format("the pipeline has {} nodes; at most {} are possible", pipeline.nodes.size(), kPipelineNodesMax)};
  }
  Graph graph;
  for (const auto& [node_name, node] : pipeline.nodes) TRY(collect_needs(pipeline, node_name, node, graph.needs[node_name]));
  std::set<std::string> placed;
  while (graph.order.size() < pipeline.nodes.size()) {
    const size_t before = graph.order.size();
    for (const auto& [node_name, node] : pipeline.nodes) {
      const auto& needs = graph.needs[node_name];
      const bool ready = std::all_of(needs.begin(), needs.end(), [&](const std::string& need) { return placed.count(need) > 0; });
      if (!ready || !placed.insert(node_name).second) continue;
      graph.order.push_back(node_name);
    }
    if (graph.order.size() > before) continue;
    std::vector<std::string> circle;
    for (const auto& [node_name, node] : pipeline.nodes) {
      if (placed.count(node_name) == 0) circle.push_back(node_name);
    }
    return Error{ErrorCode::invalid_argument, "these nodes wait for each other in a circle: " + slipway::join(circle, ", ")};
  }
  return graph;
}

Next decide(const Graph& graph, const std::map<std::string, NodeState>& states, bool stopping) {
  Next next;
  bool busy = false, failed = false, waits = false;
  // In the graph's order a skip is seen by everything behind it in the same pass.
  std::map<std::string, NodeState> now = states;
  for (const std::string& node : graph.order) {
    NodeState& state = now[node];
    if (state == NodeState::waiting) {
      bool ready = true, hopeless = stopping;
      for (const std::string& need : graph.needs.at(node)) {
        ready = ready && now[need] == NodeState::finished;
        hopeless = hopeless || now[need] == NodeState::failed || now[need] == NodeState::skipped || now[need] == NodeState::stopped;
      }
      if (hopeless) {
        state = NodeState::skipped;
        next.skip.push_back(node);
      } else if (ready) {
        next.start.push_back(node);
      } else {
        waits = true;
      }
    }
    busy = busy || state == NodeState::running;
    failed = failed || state == NodeState::failed;
  }
  if (!busy && next.start.empty() && !waits) next.ended = stopping ? PipelineRunState::stopped : failed ? PipelineRunState::failed : PipelineRunState::finished;
  return next;
}

Result<PipelineNode> fill_in(const PipelineNode& node, const std::map<std::string, Json>& results) {
  PipelineNode filled = node;
  std::optional<Error> problem;
  each_value(filled, [&](std::string& value) {
    const auto named = output_named_by(value, [&](const std::string& other) { return results.count(other) > 0; });
    if (!named || problem) return;
    const Json& outputs = results.at(named->first)["outputs"];
    const std::string& output = outputs[named->second].string();
    if (output.empty()) {
      std::vector<std::string> known;
      for (const auto& [key, ignored] : outputs.object()) known.push_back(key);
      problem = Error{ErrorCode::failed_precondition, fmt::format("'{}' names an output that '{}' did not make; it made {}", value, named->first,
                                                                  known.empty() ? "none" : slipway::join(known, ", "))};
      return;
    }
    value = output;
  });
  if (problem) return *problem;
  return filled;
}

std::string explain_difference(const Json& before, const Json& after) {
  for (const auto& [part, value] : after.object()) {
    const Json& old = before[part];
    if (old == value) continue;
    if (!value.is_object() || !old.is_object()) {
      const bool short_enough = value.render().size() + old.render().size() < 160;
      return short_enough ? fmt::format("the {} changed: it was {} and is {}", part, old.render(), value.render()) : fmt::format("the {} changed", part);
    }
    for (const auto& [key, inner] : value.object()) {
      if (!(old[key] == inner)) return fmt::format("the {} changed: {} was {} and is {}", part, key, old[key].render(), inner.render());
    }
    return fmt::format("the {} changed: something was removed", part);
  }
  return "a part of the inputs is gone";
}

}  // namespace slipway::pipelines

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

/// Names may have dots: the first part that is a node counts.
std::optional<OutputName> split_output(std::string_view value, const std::function<bool(std::string_view)>& is_node) {
  if (value.find(':') != std::string_view::npos) return std::nullopt;
  for (size_t dot = value.find('.'); dot != std::string_view::npos; dot = value.find('.', dot + 1)) {
    if (is_node(value.substr(0, dot)))
      return OutputName{std::string(value.substr(0, dot)), std::string(value.substr(dot + 1))};
  }
  return std::nullopt;
}

/// Every value of a node that may name another node's output.
template <typename Node, typename Visit>
void each_value(Node& node, Visit visit) {
  for (auto* value : {&node.model, &node.against, &node.dataset, &node.version}) visit(*value);
  for (auto& [input, value] : node.inputs) visit(value);
}

Result<void> collect_needs(const Pipeline& pipeline, const std::string& node_name, const PipelineNode& node,
                           std::vector<std::string>& needs) {
  std::vector<std::string> known;
  for (const auto& [other, ignored] : pipeline.nodes) known.push_back(other);
  for (const std::string& before : node.after) {
    if (!find(pipeline.nodes, before)) {
      const auto near = nearest(before, known);
      return Error{
          ErrorCode::invalid_argument,
          fmt::format("the node '{}' comes after '{}', which is no node of the pipeline; {}", node_name, before,
                      near ? "did you mean '" + *near + "'?" : "its nodes are " + slipway::join(known, ", "))};
    }
    needs.push_back(before);
  }
  each_value(node, [&](const std::string& value) {
    if (const auto named = output_named_by(value, pipeline)) needs.push_back(named->node);
  });
  std::sort(needs.begin(), needs.end());
  needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
  return {};
}

bool reaches(const std::map<std::string, std::vector<std::string>>& needs, const std::string& from,
             const std::string& to, std::set<std::string>& seen) {
  if (from == to) return true;
  if (!seen.insert(from).second) return false;
  const auto& next = needs.at(from);
  return std::any_of(next.begin(), next.end(), [&](const std::string& need) { return reaches(needs, need, to, seen); });
}

/// A version is deployed after the evaluations of it, so that one which loses is not; those that are to look at the
/// deployment come after it.
void add_evaluations(const Pipeline& pipeline, std::map<std::string, std::vector<std::string>>& needs) {
  for (const auto& [name, node] : pipeline.nodes) {
    if (node.deploy.empty()) continue;
    for (const auto& [other, evaluation] : pipeline.nodes) {
      std::set<std::string> seen;
      if (evaluation.evaluate.empty() || evaluation.model != node.version || reaches(needs, other, name, seen))
        continue;
      auto& own = needs[name];
      if (std::count(own.begin(), own.end(), other) == 0) own.push_back(other);
    }
  }
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

std::optional<OutputName> output_named_by(std::string_view value, const Pipeline& pipeline) {
  return split_output(value, [&](std::string_view node) { return find(pipeline.nodes, node) != nullptr; });
}

std::vector<std::string> values_of(const PipelineNode& node) {
  std::vector<std::string> values;
  each_value(node, [&](const std::string& value) {
    if (!value.empty()) values.push_back(value);
  });
  return values;
}

Result<Graph> make_graph(const Pipeline& pipeline) {
  if (pipeline.nodes.empty()) return Error{ErrorCode::invalid_argument, "it has no nodes"};
  if (pipeline.nodes.size() > kPipelineNodesMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("it has {} nodes; at most {} are possible", pipeline.nodes.size(), kPipelineNodesMax)};
  }
  Graph graph;
  for (const auto& [node_name, node] : pipeline.nodes)
    TRY(collect_needs(pipeline, node_name, node, graph.needs[node_name]));
  add_evaluations(pipeline, graph.needs);
  std::set<std::string> placed;
  while (graph.order.size() < pipeline.nodes.size()) {
    const size_t before = graph.order.size();
    for (const auto& [node_name, node] : pipeline.nodes) {
      const auto& needs = graph.needs[node_name];
      const bool ready =
          std::all_of(needs.begin(), needs.end(), [&](const std::string& need) { return placed.count(need) > 0; });
      if (!ready || !placed.insert(node_name).second) continue;
      graph.order.push_back(node_name);
    }
    if (graph.order.size() > before) continue;
    std::vector<std::string> circle;
    for (const auto& [node_name, node] : pipeline.nodes) {
      if (placed.count(node_name) == 0) circle.push_back(node_name);
    }
    return Error{ErrorCode::invalid_argument,
                 "these nodes wait for each other in a circle: " + slipway::join(circle, ", ")};
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
        hopeless = hopeless || now[need] == NodeState::failed || now[need] == NodeState::skipped ||
                   now[need] == NodeState::stopped;
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
  if (!busy && next.start.empty() && !waits)
    next.ended = stopping ? PipelineRunState::stopped : failed ? PipelineRunState::failed : PipelineRunState::finished;
  return next;
}

Result<PipelineNode> fill_in(const PipelineNode& node, const std::map<std::string, Json>& results) {
  PipelineNode filled = node;
  std::optional<Error> problem;
  each_value(filled, [&](std::string& value) {
    const auto named =
        split_output(value, [&](std::string_view other) { return results.count(std::string(other)) > 0; });
    if (!named || problem) return;
    const Json& outputs = results.at(named->node)["outputs"];
    const std::string& output = outputs[named->output].string();
    if (output.empty()) {
      std::vector<std::string> known;
      for (const auto& [key, ignored] : outputs.object()) known.push_back(key);
      problem = Error{ErrorCode::failed_precondition,
                      fmt::format("'{}' names an output that '{}' did not make; it made {}", value, named->node,
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
      return short_enough ? fmt::format("the {} changed: it was {} and is {}", part, old.render(), value.render())
                          : fmt::format("the {} changed", part);
    }
    for (const auto& [key, inner] : value.object()) {
      if (!(old[key] == inner))
        return fmt::format("the {} changed: {} was {} and is {}", part, key, old[key].render(), inner.render());
    }
    return fmt::format("the {} changed: something was removed", part);
  }
  return "a part of the inputs is gone";
}

}  // namespace slipway::pipelines

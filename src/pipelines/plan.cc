#include "pipelines/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "domain/run_spec.h"

namespace slipway::pipelines {
namespace {

template <typename T>
std::vector<std::string> names_of(const Named<T>& things) {
  std::vector<std::string> names;
  for (const auto& [name, thing] : things) names.push_back(name);
  return names;
}

/// "; did you mean 'train'?", or the names there are.
std::string hint(std::string_view name, const std::vector<std::string>& known) {
  if (const auto near = nearest(name, known)) return "; did you mean '" + *near + "'?";
  return known.empty() ? "; there are none" : "; there are " + join(known, ", ");
}

Result<Pipeline> find_pipeline(const ProjectFile& file, std::string_view name) {
  if (const Pipeline* found = find(file.pipelines, name)) return *found;
  return Error{ErrorCode::not_found, fmt::format("slipway.yaml has no pipeline '{}'{}", clean_utf8(name, 100),
                                                 hint(name, names_of(file.pipelines)))};
}

PipelineNode* find_node(Pipeline& pipeline, const std::string& name) {
  for (auto& [key, node] : pipeline.nodes) {
    if (key == name) return &node;
  }
  return nullptr;
}

/// Puts the given parameters over the nodes' own.
Result<void> take_parameters(Pipeline& pipeline, const Json& parameters) {
  for (const auto& [node_name, values] : parameters.object()) {
    PipelineNode* node = find_node(pipeline, node_name);
    if (!node)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the pipeline has no node '{}' to give parameters to{}", clean_utf8(node_name, 100),
                               hint(node_name, names_of(pipeline.nodes)))};
    if (!values.is_object())
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the parameters of the node '{}' are {}; expected an object of names and values",
                               node_name, values.type_name())};
    if (kind_of(*node) != "step" && !values.object().empty())
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the node '{}' is no step, so it takes no parameters", node_name)};
    for (const auto& [parameter, value] : values.object()) {
      std::erase_if(node->parameters, [&, &key = parameter](const auto& entry) { return entry.first == key; });
      node->parameters.emplace_back(parameter, value);
    }
  }
  return {};
}

Error cannot_run(const std::string& node, const std::string& why) {
  return {ErrorCode::invalid_argument, fmt::format("the node '{}' cannot run: {}", node, why)};
}

/// Parameters and inputs that a step does not know would fail hours later, behind the nodes that come first.
Result<void> check_step(const ProjectFile& file, const std::string& name, const PipelineNode& node) {
  Named<std::string> inputs;
  for (const auto& [input, value] : node.inputs) {
    // The output of another node is no reference yet.
    inputs.emplace_back(input, value.find(':') == std::string::npos ? "run:0/later" : value);
  }
  const auto spec = make_run_spec(file, node.step, node.parameters, inputs);
  if (!spec.ok()) return cannot_run(name, spec.error().message);
  return {};
}

/// "train.model" must be something that the node `train` will make; everything else must be a reference.
Result<void> check_value(const ProjectFile& file, const Pipeline& pipeline, const std::string& name,
                         const std::string& value) {
  if (const auto wanted = output_named_by(value, pipeline)) {
    const PipelineNode& maker = *find(pipeline.nodes, wanted->node);
    const Step* step = maker.step.empty() ? nullptr : find(file.steps, maker.step);
    if (!step || find(step->outputs, wanted->output)) return {};
    return cannot_run(name, fmt::format("it takes '{}', but the step '{}' declares no output '{}'{}", value, maker.step,
                                        wanted->output, hint(wanted->output, names_of(step->outputs))));
  }
  const size_t dot = value.find('.');
  if (dot != std::string::npos && value.find(':') == std::string::npos) {
    const std::string node = value.substr(0, dot);
    return cannot_run(name, fmt::format("it takes '{}', but there is no node '{}'{}", clean_utf8(value, 100),
                                        clean_utf8(node, 100), hint(node, names_of(pipeline.nodes))));
  }
  const auto reference = parse_reference(value);
  if (!reference.ok())
    return cannot_run(name, reference.error().message + ", or an output of another node such as train.model");
  return {};
}

}  // namespace

Result<Plan> make_plan(std::string_view file, std::string_view pipeline, const Json& parameters) {
  Plan plan;
  plan.file = TRY(parse_project_file(file));
  plan.pipeline = TRY(find_pipeline(plan.file, pipeline));
  TRY(take_parameters(plan.pipeline, parameters));
  auto graph = make_graph(plan.pipeline);
  if (!graph.ok())
    return Error{graph.error().code, fmt::format("the pipeline '{}' cannot run: {}", pipeline, graph.error().message)};
  plan.graph = std::move(*graph);
  for (const auto& [name, node] : plan.pipeline.nodes) {
    for (const std::string& value : values_of(node)) TRY(check_value(plan.file, plan.pipeline, name, value));
    if (!node.step.empty()) TRY(check_step(plan.file, name, node));
  }
  return plan;
}

Result<std::shared_ptr<const Plan>> Plans::get(const std::string& key, const std::function<Result<Plan>()>& make) {
  {
    auto kept = kept_.lock();
    const auto found = std::find_if(kept->begin(), kept->end(), [&](const Entry& entry) { return entry.first == key; });
    if (found != kept->end()) {
      kept->splice(kept->begin(), *kept, found);
      return kept->front().second;
    }
  }
  const auto plan = std::make_shared<const Plan>(TRY(make()));
  auto kept = kept_.lock();
  kept->emplace_front(key, plan);
  if (kept->size() > kPlansKept) kept->pop_back();
  return plan;
}

}  // namespace slipway::pipelines

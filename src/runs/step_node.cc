#include "runs/step_node.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"

namespace slipway::runs {
namespace {

Result<RunSpec> spec_of(const NodeRequest& request) {
  CHECK(request.file != nullptr, "a pipeline hands its file to its nodes");
  RunSpec spec = TRY(make_run_spec(*request.file, request.declaration.step, request.declaration.parameters, request.declaration.inputs));
  spec.snapshot = request.snapshot;
  return spec;
}

}  // namespace

Json outputs_as_references(const RunId& run, const std::vector<RunOutput>& outputs) {
  Json json{Json::Object{}};
  for (const RunOutput& output : outputs) {
    json.set(output.name, !output.model.empty()     ? fmt::format("model:{}/{}", output.model, output.version)
                          : !output.dataset.empty() ? fmt::format("dataset:{}@{}", output.dataset, output.commit)
                                                    : fmt::format("run:{}/{}", run.text, output.path));
  }
  return json;
}

Result<Json> StepNode::inputs_of(const NodeRequest& request) {
  const RunSpec spec = TRY(spec_of(request));
  const Json whole = to_json(spec);
  Json inputs{Json::Object{}};
  for (const auto& [name, input] : TRY(runs_.resolve(request.project, spec.inputs))) inputs.set(name, render(input.hash));
  Json parts{Json::Object{}};
  // Resources, limits and retries decide whether a result comes, not what it is.
  for (const char* key : {"command", "parameters", "environment", "variables", "outputs"}) parts.set(key, whole[key]);
  return parts.set("inputs", inputs).set("code", request.snapshot);
}

Result<bool> StepNode::still_exists(const ProjectId& project, const Json& result) {
  Named<Reference> references;
  for (const auto& [name, text] : result["outputs"].object()) references.emplace_back(name, TRY(parse_reference(text.string())));
  const auto resolved = runs_.resolve(project, references);
  if (!resolved.ok() && resolved.error().code == ErrorCode::not_found) return false;
  if (!resolved.ok()) return resolved.error();
  return true;
}

Result<std::string> StepNode::start(const NodeRequest& request) {
  NewExecution execution;
  execution.project = request.project;
  execution.member = TRY(member_of_(request.member));
  execution.member_name = request.member;
  execution.spec = TRY(spec_of(request));
  execution.request_key = fmt::format("pipeline/{}/{}", request.pipeline_run.text, request.node);
  execution.tags = {{"slipway.pipeline", request.pipeline}, {"slipway.pipeline_run", request.pipeline_run.text}, {"slipway.node", request.node}};
  execution.source = Json(Json::Object{{"pipeline_run_id", request.pipeline_run.text}, {"pipeline", request.pipeline}, {"node", request.node}});
  return TRY(runs_.submit(execution)).text;
}

Result<NodeProgress> StepNode::poll(const NodeRequest& request, const std::string& handle) {
  const RunId run(handle);
  const Execution execution = TRY(runs_.get(request.project, run));
  NodeProgress progress;
  progress.result.set("run_id", handle);
  if (!is_over(execution.state)) return progress;
  progress.message = execution.message;
  if (execution.state != RunState::finished) {
    progress.state = NodeProgress::State::failed;
    if (progress.message.empty()) progress.message = "the run was " + std::string(slipway::name(execution.state));
    return progress;
  }
  progress.state = NodeProgress::State::finished;
  progress.result.set("outputs", outputs_as_references(run, TRY(runs_.outputs(request.project, run))));
  return progress;
}

void StepNode::stop(const NodeRequest& request, const std::string& handle) {
  const auto stopped = runs_.stop(request.project, RunId(handle), std::nullopt);
  if (!stopped.ok()) log_info("runs", "a pipeline's run was not stopped", {{"run", handle}, {"why", stopped.error().message}});
}

}  // namespace slipway::runs

#include "pipelines/step_node.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"

namespace slipway::pipelines {
namespace {

Result<RunSpec> spec_of(const NodeRequest& request) {
  RunSpec spec = TRY(make_run_spec(*request.file, request.declaration.step, request.declaration.parameters,
                                   request.declaration.inputs));
  spec.snapshot = request.snapshot;
  return spec;
}

std::string reference_of(const RunId& run, const runs::RunOutput& output) {
  if (!output.model.empty()) return fmt::format("model:{}/{}", output.model, output.version);
  if (!output.dataset.empty()) return fmt::format("dataset:{}@{}", output.dataset, output.commit);
  return fmt::format("run:{}/{}", run.text, output.path);
}

}  // namespace

Result<std::string> StepNode::content_of(const ProjectId& project, const Reference& reference) {
  if (reference.kind == Reference::Kind::dataset)
    return render(TRY(registry_.datasets().get_commit(project, reference.name, reference.at)).tree);
  if (reference.kind == Reference::Kind::model) {
    const auto version = TRY(registry_.models().resolve(project, reference));
    return fmt::format("model:{}/{}", version.model, version.version);
  }
  return render(reference);
}

Result<Json> StepNode::inputs_of(const NodeRequest& request) {
  const RunSpec spec = TRY(spec_of(request));
  const Json whole = to_json(spec);
  Json inputs{Json::Object{}};
  for (const auto& [input, reference] : spec.inputs) {
    auto content = content_of(request.project, reference);
    if (!content.ok())
      return context(content.error(), fmt::format("needed as the input '{}' ({})", input, render(reference)));
    inputs.set(input, std::move(*content));
  }
  Json parts{Json::Object{}};
  parts.set("command", spec.command)
      .set("parameters", whole["parameters"])
      .set("inputs", std::move(inputs))
      .set("environment", whole["environment"]);
  return parts.set("outputs", whole["outputs"]).set("code", spec.snapshot);
}

Result<bool> StepNode::still_exists(const ProjectId& project, const Json& result) {
  for (const auto& [output, value] : result["outputs"].object()) {
    const Reference reference = TRY(parse_reference(value.string()));
    if (reference.kind == Reference::Kind::run) {
      const registry::Owner owner{project, registry::OwnerKind::run, reference.name};
      if (TRY(registry_.artifacts().all(owner, reference.path)).empty()) return false;
    } else {
      const auto found = content_of(project, reference);
      if (!found.ok() && found.error().code == ErrorCode::not_found) return false;
      TRY(found);
    }
  }
  return true;
}

Result<std::string> StepNode::start(const NodeRequest& request) {
  runs::NewExecution execution;
  execution.project = request.project;
  execution.member = TRY(members_(request.member));
  execution.member_name = request.member;
  execution.spec = TRY(spec_of(request));
  execution.name = request.pipeline + "/" + request.node;
  execution.request_key =
      "pipeline/" + request.pipeline_run.text + "/" + request.node;  // started twice, it is the same run
  execution.tags["slipway.pipeline_run"] = request.pipeline_run.text;
  execution.tags["slipway.node"] = request.node;
  execution.source = Json(Json::Object{}).set("pipeline_run_id", request.pipeline_run.text).set("node", request.node);
  return TRY(runs_.submit(execution)).text;
}

Result<NodeProgress> StepNode::poll(const NodeRequest& request, const std::string& handle) {
  const RunId run(handle);
  const runs::Execution execution = TRY(runs_.get(request.project, run));
  NodeProgress progress;
  progress.result.set("run_id", run.text);
  if (!is_over(execution.state)) return progress;
  if (execution.state != RunState::finished) {
    progress.state = NodeProgress::State::failed;
    progress.message = execution.message.empty() ? fmt::format("the run {} is {}", run.text, name(execution.state))
                                                 : execution.message;
    return progress;
  }
  Json outputs{Json::Object{}};
  for (const runs::RunOutput& output : TRY(runs_.outputs(request.project, run)))
    outputs.set(output.name, reference_of(run, output));
  progress.result.set("outputs", std::move(outputs));
  progress.state = NodeProgress::State::finished;
  return progress;
}

void StepNode::stop(const NodeRequest& request, const std::string& handle) {
  const auto stopped = runs_.stop(request.project, RunId(handle), std::nullopt);
  // A run that is over already, or told before, is what was wanted.
  if (!stopped.ok() && stopped.error().code != ErrorCode::failed_precondition)
    log_warning("pipelines", "a run could not be stopped", {{"run", handle}, {"error", stopped.error().message}});
}

}  // namespace slipway::pipelines

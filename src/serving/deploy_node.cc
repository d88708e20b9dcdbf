#include "serving/deploy_node.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::serving {
namespace {

DeploymentSpec spec_of(const std::string& name, const DeploymentDeclaration* declaration, const Reference& model) {
  DeploymentSpec spec;
  spec.name = name;
  spec.model = model;
  if (!declaration) return spec;
  spec.replicas_min = static_cast<int>(std::max<std::int64_t>(1, declaration->replicas_min));
  spec.replicas_max = static_cast<int>(std::max<std::int64_t>(spec.replicas_min, declaration->replicas_max));
  spec.batch_max = static_cast<int>(declaration->batch_max);
  spec.batch_delay = declaration->batch_delay;
  Json::Array always;
  for (const std::string& kind : declaration->capture_always) always.emplace_back(kind);
  spec.capture.set("sample", declaration->capture_sample).set("low_confidence", declaration->low_confidence);
  if (!always.empty()) spec.capture.set("always", std::move(always));
  return spec;
}

/// The alias whose move makes the deployment change.
std::string alias_of(const NodeRequest& request, const DeploymentDeclaration* declaration) {
  if (!request.declaration.alias.empty()) return request.declaration.alias;
  if (declaration && !declaration->model.at.empty()) return declaration->model.at;
  return "production";
}

}  // namespace

Result<Json> DeployNode::inputs_of(const NodeRequest&) { return Json(); }

Result<bool> DeployNode::still_exists(const ProjectId&, const Json&) { return true; }

Result<std::string> DeployNode::start(const NodeRequest& request) {
  const Reference reference = TRY(parse_reference(request.declaration.version));
  const auto version = TRY(registry_.models().resolve(request.project, reference));
  const DeploymentDeclaration* declaration = find(request.file->deployments, request.declaration.deploy);
  const std::string alias = alias_of(request, declaration);
  TRY(registry_.models().set_alias(request.project, version.model, alias, version.version, request.member,
                                   fmt::format("pipeline {} ({})", request.pipeline, request.pipeline_run.text)));
  const Reference followed{Reference::Kind::model, version.model, alias, 0, ""};
  const auto existing = serving_.get(request.project, request.declaration.deploy);
  if (!existing.ok() && existing.error().code == ErrorCode::not_found) {
    TRY(serving_.create(request.project, spec_of(request.declaration.deploy, declaration, followed), request.member));
  } else if (TRY(existing).spec.model != followed) {
    TRY(serving_.update(request.project, request.declaration.deploy, {.model = followed}, request.member));
  }
  serving_.poke();
  return fmt::format("{}/{}", version.model, version.version);
}

Result<NodeProgress> DeployNode::poll(const NodeRequest& request, const std::string& handle) {
  const std::int64_t wanted = parse_i64(std::string_view(handle).substr(handle.rfind('/') + 1)).value_or(0);
  const Deployment deployment = TRY(serving_.get(request.project, request.declaration.deploy));
  NodeProgress progress;
  progress.result.set("outputs", Json(Json::Object{}).set("deployment", "/v2/models/" + request.declaration.deploy));
  if (deployment.version == wanted && deployment.state == DeploymentState::ready) {
    progress.state = NodeProgress::State::finished;
    progress.message = fmt::format("{} answers with version {}", request.declaration.deploy, wanted);
    return progress;
  }
  for (const Revision& revision : deployment.revisions) {
    if (revision.version != wanted) continue;
    if (revision.state == RevisionState::failed) {
      progress.state = NodeProgress::State::failed;
      progress.message = fmt::format("version {} did not come up: {}", wanted, revision.message);
    }
    break;
  }
  return progress;
}

void DeployNode::stop(const NodeRequest&, const std::string&) {}

}  // namespace slipway::serving

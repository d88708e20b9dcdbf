// A step of slipway.yaml as a node: a run.
#pragma once

#include "domain/credentials.h"
#include "domain/node_kind.h"
#include "registry/registry.h"
#include "runs/runs.h"

namespace slipway::pipelines {

class StepNode : public NodeKind {
 public:
  /// Both outlive it.
  StepNode(runs::Runs& runs, registry::Registry& registry, MemberLookup members)
      : runs_(runs), registry_(registry), members_(std::move(members)) {}

  /// Command, parameters, environment, outputs, code, and each input by the content it means now.
  Result<Json> inputs_of(const NodeRequest& request) override;
  Result<bool> still_exists(const ProjectId& project, const Json& result) override;
  Result<std::string> start(const NodeRequest& request) override;
  Result<NodeProgress> poll(const NodeRequest& request, const std::string& handle) override;
  void stop(const NodeRequest& request, const std::string& handle) override;

 private:
  Result<std::string> content_of(const ProjectId& project, const Reference& reference);

  runs::Runs& runs_;
  registry::Registry& registry_;
  const MemberLookup members_;
};

}  // namespace slipway::pipelines

// `deploy:` as a node of a pipeline: gives a deployment a new version and waits until that answers.
#pragma once

#include "domain/node_kind.h"
#include "registry/registry.h"
#include "serving/serving.h"

namespace slipway::serving {

class DeployNode : public NodeKind {
 public:
  /// Both outlive it.
  DeployNode(Serving& serving, registry::Registry& registry) : serving_(serving), registry_(registry) {}

  /// Null: what answers in production is made so each time.
  Result<Json> inputs_of(const NodeRequest& request) override;
  Result<bool> still_exists(const ProjectId& project, const Json& result) override;
  /// Moves the alias that the deployment follows (the node's, else that of `deployments:`), which the deployment sees;
  /// makes the deployment when there is none.
  Result<std::string> start(const NodeRequest& request) override;
  Result<NodeProgress> poll(const NodeRequest& request, const std::string& handle) override;
  void stop(const NodeRequest& request, const std::string& handle) override;

 private:
  Serving& serving_;
  registry::Registry& registry_;
};

}  // namespace slipway::serving

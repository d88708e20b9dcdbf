// A pipeline's node that runs a step.
#pragma once

#include <functional>

#include "domain/node_kind.h"
#include "runs/runs.h"

namespace slipway::runs {

class StepNode : public NodeKind {
 public:
  /// `member_of` finds the member whose name started the pipeline. `runs` and `registry` outlive this.
  StepNode(Runs& runs, std::function<Result<MemberId>(const std::string& name)> member_of)
      : runs_(runs), member_of_(std::move(member_of)) {}

  Result<Json> inputs_of(const NodeRequest& request) override;
  Result<bool> still_exists(const ProjectId& project, const Json& result) override;
  Result<std::string> start(const NodeRequest& request) override;
  Result<NodeProgress> poll(const NodeRequest& request, const std::string& handle) override;
  void stop(const NodeRequest& request, const std::string& handle) override;

 private:
  Runs& runs_;
  const std::function<Result<MemberId>(const std::string&)> member_of_;
};

/// The outputs of a run as references: "model:digits/2", "dataset:made@01H…", "run:<id>/plots".
Json outputs_as_references(const RunId& run, const std::vector<RunOutput>& outputs);

}  // namespace slipway::runs

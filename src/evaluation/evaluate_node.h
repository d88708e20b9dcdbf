// `evaluate:` as a node of a pipeline: evaluates a version, compares it with another on the same samples, and holds the
// result against what the pipeline requires.
#pragma once

#include "domain/credentials.h"
#include "domain/node_kind.h"
#include "evaluation/evaluation.h"

namespace slipway::evaluation {

/// Which requirements do not hold, in sentences; empty when all do. `comparison` is null when there was nothing to
/// compare with: requirements that compare hold then. Pure.
std::vector<std::string> unmet(const std::vector<Requirement>& requirements, const Evaluation& evaluation,
                               const Comparison* comparison);

/// What is said of a version that meets every requirement: also that there was nothing to compare it with, although the
/// node names something. Pure.
std::string verdict(const PipelineNode& node, bool compared);

class EvaluateNode : public NodeKind {
 public:
  /// Both outlive it.
  EvaluateNode(Evaluations& evaluations, registry::Registry& registry, MemberLookup members)
      : evaluations_(evaluations), registry_(registry), members_(std::move(members)) {}

  Result<Json> inputs_of(const NodeRequest& request) override;
  Result<bool> still_exists(const ProjectId& project, const Json& result) override;
  Result<std::string> start(const NodeRequest& request) override;
  Result<NodeProgress> poll(const NodeRequest& request, const std::string& handle) override;
  void stop(const NodeRequest& request, const std::string& handle) override;

 private:
  struct Subject;
  Result<Subject> subject_of(const NodeRequest& request);
  Result<std::string> evaluate(const NodeRequest& request, const Subject& subject, const registry::Version& version);

  Evaluations& evaluations_;
  registry::Registry& registry_;
  const MemberLookup members_;
};

}  // namespace slipway::evaluation

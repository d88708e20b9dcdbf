#include "evaluation/evaluate_node.h"

#include <fmt/format.h>

#include "base/text.h"
#include "evaluation/rows.h"

namespace slipway::evaluation {
namespace {

bool applies(const Requirement& requirement, const std::string& slice) {
  return requirement.on.empty() ||
         std::find(requirement.on.begin(), requirement.on.end(), slice) != requirement.on.end();
}

std::string points(double value) { return fmt::format("{:+.1f} points", value * 100); }

void check_scores(const Requirement& requirement, const Evaluation& evaluation, std::vector<std::string>& problems) {
  for (const SliceScore& score : evaluation.scores) {
    if (!applies(requirement, score.slice) || score.score.n == 0) continue;
    if (requirement.at_least && score.score.low < *requirement.at_least) {
      problems.push_back(fmt::format("{} on '{}' is {:.3f} (at least {:.3f} with 95% confidence); {:.3f} is required",
                                     requirement.metric, score.slice, score.score.value, score.score.low,
                                     *requirement.at_least));
    }
    if (requirement.at_most && score.score.high > *requirement.at_most) {
      problems.push_back(
          fmt::format("{} on '{}' is {:.3f} (at most {:.3f} with 95% confidence); at most {:.3f} is required",
                      requirement.metric, score.slice, score.score.value, score.score.high, *requirement.at_most));
    }
  }
}

void check_comparison(const Requirement& requirement, const Comparison& comparison,
                      std::vector<std::string>& problems) {
  for (const SliceComparison& slice : comparison.slices) {
    if (!applies(requirement, slice.slice) || slice.difference.n == 0) continue;
    if (requirement.no_worse_than && !no_worse_than(slice.difference, *requirement.no_worse_than)) {
      problems.push_back(fmt::format(
          "{} on '{}' changed by {}, and the 95% interval reaches down to {}; at most {:.1f} points worse is allowed",
          requirement.metric, slice.slice, points(slice.difference.value), points(slice.difference.low),
          *requirement.no_worse_than * 100));
    }
    if (requirement.better_by && slice.difference.low <= *requirement.better_by) {
      problems.push_back(
          fmt::format("{} on '{}' changed by {} (95% interval from {}); more than {:.1f} points better is required",
                      requirement.metric, slice.slice, points(slice.difference.value), points(slice.difference.low),
                      *requirement.better_by * 100));
    }
  }
}

/// Whether an evaluation of the same version and commit is the one that is wanted. Streams that nobody names are the
/// only ones there are.
bool answers(const Evaluation& before, const NewEvaluation& wanted) {
  const auto is_same = [](const std::string& asked, const std::string& was) { return asked.empty() || asked == was; };
  return before.task == wanted.task && before.slices == wanted.slices && is_same(wanted.input, before.input) &&
         is_same(wanted.target, before.target);
}

}  // namespace

std::vector<std::string> unmet(const std::vector<Requirement>& requirements, const Evaluation& evaluation,
                               const Comparison* comparison) {
  std::vector<std::string> problems;
  for (const Requirement& requirement : requirements) {
    if (requirement.metric != metric_of(evaluation.task)) {
      problems.push_back(fmt::format("the metric '{}' is required, but a {} is judged by '{}'", requirement.metric,
                                     evaluation.task, metric_of(evaluation.task)));
      continue;
    }
    check_scores(requirement, evaluation, problems);
    if (comparison) check_comparison(requirement, *comparison, problems);
  }
  return problems;
}

std::string verdict(const PipelineNode& node, bool compared) {
  if (compared) return "every requirement holds";
  if (node.against.empty()) return node.require.empty() ? "evaluated; nothing is required" : "every requirement holds";
  return fmt::format(
      "there is no {} yet to compare with, so only what is required of the version itself was held against it",
      node.against);
}

/// What the node is about now.
struct EvaluateNode::Subject {
  const EvaluationDeclaration* declaration = nullptr;
  registry::Version version;
  std::optional<registry::Version> against;  // none: there is no such version yet
  registry::Commit commit;
};

Result<EvaluateNode::Subject> EvaluateNode::subject_of(const NodeRequest& request) {
  Subject subject;
  subject.declaration = find(request.file->evaluations, request.declaration.evaluate);
  if (!subject.declaration)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("slipway.yaml has no evaluation '{}'", request.declaration.evaluate)};
  subject.version = TRY(registry_.models().resolve(request.project, TRY(parse_reference(request.declaration.model))));
  if (!request.declaration.against.empty()) {
    auto against = registry_.models().resolve(request.project, TRY(parse_reference(request.declaration.against)));
    if (against.ok()) {
      subject.against = std::move(*against);
    } else if (against.error().code != ErrorCode::not_found && against.error().code != ErrorCode::invalid_argument) {
      return against.error();
    }
  }
  const Reference dataset = request.declaration.dataset.empty() ? subject.declaration->dataset
                                                                : TRY(parse_reference(request.declaration.dataset));
  subject.commit = TRY(registry_.datasets().get_commit(request.project, dataset.name, dataset.at));
  return subject;
}

Result<Json> EvaluateNode::inputs_of(const NodeRequest& request) {
  const Subject subject = TRY(subject_of(request));
  std::vector<SliceQuery> slices;
  for (const auto& [slice, query] : subject.declaration->slices) slices.push_back({slice, query});
  Json parts{Json::Object{}};
  parts.set("model", fmt::format("{}/{}", subject.version.model, subject.version.version));
  parts.set("against",
            subject.against ? Json(fmt::format("{}/{}", subject.against->model, subject.against->version)) : Json());
  parts.set("dataset", render(subject.commit.tree))
      .set("task", subject.declaration->task)
      .set("input", subject.declaration->input)
      .set("target", subject.declaration->target);
  return parts.set("slices", rows::to_json(slices))
      .set("requirements", to_json(Pipeline{{{"node", request.declaration}}, {}})["nodes"]["node"]["require"]);
}

Result<bool> EvaluateNode::still_exists(const ProjectId& project, const Json& result) {
  const auto found = evaluations_.get(project, EvaluationId(result["evaluation_id"].string()));
  if (!found.ok() && found.error().code == ErrorCode::not_found) return false;
  TRY(found);
  return true;
}

Result<std::string> EvaluateNode::evaluate(const NodeRequest& request, const Subject& subject,
                                           const registry::Version& version) {
  NewEvaluation wanted;
  wanted.project = request.project;
  wanted.member = TRY(members_(request.member));
  wanted.member_name = request.member;
  wanted.model = {Reference::Kind::model, version.model, "", version.version, ""};
  wanted.dataset = {Reference::Kind::dataset, subject.commit.dataset, subject.commit.id.text, 0, ""};
  wanted.task = subject.declaration->task;
  wanted.input = subject.declaration->input;
  wanted.target = subject.declaration->target;
  for (const auto& [slice, query] : subject.declaration->slices) wanted.slices.push_back({slice, query});
  wanted.source = Json(Json::Object{}).set("pipeline_run_id", request.pipeline_run.text).set("node", request.node);
  const auto before =
      TRY(evaluations_.find_finished(request.project, version.model, version.version, subject.commit.id.text));
  if (before && answers(*before, wanted)) return before->id.text;
  return TRY(evaluations_.create(wanted)).id.text;
}

Result<std::string> EvaluateNode::start(const NodeRequest& request) {
  const Subject subject = TRY(subject_of(request));
  std::string handle = TRY(evaluate(request, subject, subject.version));
  if (subject.against) handle += " " + TRY(evaluate(request, subject, *subject.against));
  return handle;
}

Result<NodeProgress> EvaluateNode::poll(const NodeRequest& request, const std::string& handle) {
  NodeProgress progress;
  std::vector<Evaluation> evaluations;
  for (const std::string& id : split(handle, ' ')) {
    evaluations.push_back(TRY(evaluations_.get(request.project, EvaluationId(id))));
    if (evaluations.back().state == EvaluationState::failed) {
      progress.state = NodeProgress::State::failed;
      progress.message = fmt::format("the evaluation of {}/{} failed: {}", evaluations.back().model,
                                     evaluations.back().version, evaluations.back().message);
      return progress;
    }
  }
  progress.result.set("evaluation_id", evaluations[0].id.text);
  if (evaluations.size() > 1) progress.result.set("against_id", evaluations[1].id.text);
  for (const Evaluation& evaluation : evaluations) {
    if (evaluation.state == EvaluationState::running) return progress;
  }
  std::optional<Comparison> comparison;
  if (evaluations.size() > 1) comparison = TRY(evaluations_.compare(evaluations[1], evaluations[0], 0));
  const auto problems = unmet(request.declaration.require, evaluations[0], comparison ? &*comparison : nullptr);
  progress.state = problems.empty() ? NodeProgress::State::finished : NodeProgress::State::failed;
  progress.message = !problems.empty() ? join(problems, "; ") : verdict(request.declaration, comparison.has_value());
  return progress;
}

void EvaluateNode::stop(const NodeRequest&, const std::string&) {}

}  // namespace slipway::evaluation

#include "api/native/send_cases.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "domain/sample.h"

namespace slipway::api {
namespace {

using monitor::Case;
using monitor::CaseState;

/// How the dataset's samples look: the stream that takes the picture, and those that hold the right answer as a file,
/// if any.
struct Shape {
  std::string input, label, target;  // target: a mask
  Json declaration;                  // of the dataset: its patterns say where a sample's files lie
};

/// What stands for the fields of a pattern in the paths of one case.
struct Fields {
  std::string name;   // for every field but {label}
  std::string label;  // for {label}: where classes are folders, the case belongs into its own
};

Fields fields_of(const Case& c) {
  const std::string name = "case-" + lower(c.id.text);
  const bool can_be_folder =
      !c.label.empty() && c.label.find('/') == std::string::npos && check_relative_path(c.label).ok();
  return {name, can_be_folder ? c.label : name};
}

/// "images/{site}/{name}.png" with every {field} replaced.
std::string fill_pattern(std::string_view pattern, const Fields& fields) {
  std::string filled;
  while (!pattern.empty()) {
    const size_t open = pattern.find('{');
    const size_t close = pattern.find('}', open);
    filled += pattern.substr(0, open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    filled += pattern.substr(open + 1, close - open - 1) == "label" ? fields.label : fields.name;
    pattern.remove_prefix(close + 1);
  }
  return filled;
}

/// Where the stream's file of a new sample lies: as the declaration has it, so that whoever reads the folder finds it.
std::string path_of(const Shape& shape, const std::string& stream, const Fields& fields, const std::string& otherwise) {
  const std::string& pattern = shape.declaration["streams"][stream]["files"].string();
  const std::string path = fill_pattern(pattern, fields);
  return pattern.find('{') == std::string::npos || !check_relative_path(path).ok() ? otherwise : path;
}

Result<Shape> shape_of(registry::Registry& registry, const registry::Commit& commit) {
  const auto table = TRY(registry.samples().table(commit));
  if (table->size() == 0)
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the dataset {} has no samples yet that would say how a sample looks", commit.dataset)};
  Shape shape;
  shape.declaration = commit.declaration;
  const Sample first = TRY(table->at(0));
  for (const auto& [stream, file] : first.streams) {
    const std::string& decode = shape.declaration["streams"][stream]["decode"].string();
    if (decode == "labels") {
      shape.target = stream;
    } else if (file.media_type.starts_with("image/") && (decode.empty() || decode == "image") && shape.input.empty()) {
      shape.input = stream;
    } else if (file.media_type.starts_with("text/")) {
      shape.label = stream;
    }
  }
  if (shape.input.empty())
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the samples of {} have no stream of pictures to put a request into", commit.dataset)};
  return shape;
}

/// What the case lacks to become a sample of that shape; empty when nothing.
std::string what_is_missing(const Case& c, const Shape& shape) {
  if (!shape.target.empty() && !c.target) {
    return fmt::format(
        "has no target yet, which would be its {}; give it one with `slipway cases label {} --target MASK.png`",
        shape.target, c.id.text);
  }
  const bool needs_label = shape.target.empty() || !shape.label.empty();
  if (needs_label && c.label.empty())
    return fmt::format("has no label yet; give it one with `slipway cases label {} LABEL`", c.id.text);
  return "";
}

Result<std::vector<Case>> choose(monitor::Monitor& monitor, const SendCases& request, const Shape& shape) {
  std::vector<Case> cases;
  if (!request.cases.empty()) {
    for (const CaseId& id : request.cases) cases.push_back(TRY(monitor.find_case(request.project, id)));
  } else {
    cases = TRY(monitor.cases({request.project, request.deployment, std::string(name(CaseState::labelled)), "",
                               monitor::kCasesPerCallMax, ""}))
                .cases;
  }
  for (const Case& c : cases) {
    if (const std::string missing = what_is_missing(c, shape); !missing.empty())
      return Error{ErrorCode::failed_precondition, fmt::format("the case {} {}", c.id.text, missing)};
    if (!c.body || !c.media_type.starts_with("image/")) {
      return Error{ErrorCode::failed_precondition,
                   fmt::format("the case {} came as {}; only requests that are pictures can become samples", c.id.text,
                               c.media_type.empty() ? "nothing" : c.media_type)};
    }
    if (c.state == CaseState::sent || c.state == CaseState::held_out)
      return Error{ErrorCode::failed_precondition,
                   fmt::format("the case {} was sent already, in commit {}", c.id.text, c.commit)};
  }
  if (cases.empty())
    return Error{ErrorCode::failed_precondition,
                 "there are no labelled cases to send; feedback or `slipway cases label` gives labels"};
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.id < b.id; });
  return cases;
}

Result<Sample> sample_of(registry::Registry& registry, const Case& c, const Shape& shape, const std::string& slice) {
  Sample sample;
  const Fields fields = fields_of(c);
  const std::string key = fill_pattern(shape.declaration["key"].string(), fields);
  sample.key = check_relative_path(key).ok() ? key : fields.name;
  const std::string extension = c.media_type == "image/jpeg" ? ".jpg" : ".png";
  sample.streams.emplace_back(
      shape.input, StreamFile{path_of(shape, shape.input, fields, "cases/" + fields.name + extension), *c.body,
                              c.body_bytes, c.media_type, 0, 0});
  if (!shape.label.empty()) {
    const auto label = TRY(registry.store().put(c.label + "\n"));
    sample.streams.emplace_back(
        shape.label, StreamFile{path_of(shape, shape.label, fields, "cases/" + fields.name + ".txt"), label.hash,
                                label.size, "text/plain", 0, 0});
  }
  if (!shape.target.empty()) {
    sample.streams.emplace_back(shape.target,
                                StreamFile{path_of(shape, shape.target, fields, "cases/" + fields.name + "-target.png"),
                                           *c.target, c.target_bytes, "image/png", 0, 0});
  }
  sample.attributes.emplace_back("case", c.id.text);
  sample.attributes.emplace_back("deployment", c.deployment);
  if (!slice.empty()) sample.attributes.emplace_back("slice", slice);
  if (!c.label.empty()) sample.label = c.label;
  return sample;
}

Result<CommitId> commit_cases(registry::Registry& registry, const SendCases& request, const std::vector<Case>& cases,
                              const std::string& branch, const Shape& shape) {
  registry::SampleEdit edit;
  edit.branch = branch;
  edit.message = fmt::format("{} cases of production", cases.size());
  edit.author = request.member;
  for (const Case& c : cases) edit.put.push_back(TRY(sample_of(registry, c, shape, request.slice)));
  return TRY(registry.samples().edit(request.project, request.dataset, edit)).id;
}

std::vector<CaseId> ids_of(const std::vector<Case>& cases) {
  std::vector<CaseId> ids;
  for (const Case& c : cases) ids.push_back(c.id);
  return ids;
}

}  // namespace

std::vector<bool> choose_held_out(size_t count, double share) {
  std::vector<bool> held(count, false);
  for (size_t i = 0; i < count; ++i) {
    const double position = static_cast<double>(i);
    held[i] = std::floor((position + 1) * share) > std::floor(position * share);
  }
  return held;
}

Result<SentCases> send_cases(monitor::Monitor& monitor, registry::Registry& registry, const SendCases& request) {
  if (!(request.hold_out >= 0) || request.hold_out >= 1)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'hold_out' is {}; expected a share from 0 to below 1", request.hold_out)};
  const registry::Commit main = TRY(registry.datasets().get_commit(request.project, request.dataset, "main"));
  const Shape shape = TRY(shape_of(registry, main));
  const std::vector<Case> chosen = TRY(choose(monitor, request, shape));
  const std::vector<bool> is_held = choose_held_out(chosen.size(), request.hold_out);
  std::vector<Case> training, held;
  for (size_t i = 0; i < chosen.size(); ++i) (is_held[i] ? held : training).push_back(chosen[i]);

  SentCases sent;
  sent.sent = ids_of(training);
  sent.held_out = ids_of(held);
  if (!training.empty()) {
    sent.commit = TRY(commit_cases(registry, request, training, request.branch, shape));
    TRY(monitor.mark_cases(request.project, sent.sent, CaseState::sent, request.slice, sent.commit.text));
  }
  if (!held.empty()) {
    sent.held_out_commit = TRY(commit_cases(registry, request, held, request.hold_out_branch, shape));
    TRY(monitor.mark_cases(request.project, sent.held_out, CaseState::held_out, request.slice,
                           sent.held_out_commit.text));
  }
  return sent;
}

}  // namespace slipway::api

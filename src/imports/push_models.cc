// Registered models, their versions and aliases, pushed into an MLflow server.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "imports/carry.h"
#include "imports/carry_run.h"
#include "imports/push_run.h"

namespace slipway::imports {
namespace {

constexpr std::string_view kOfRun = "runs:/", kOfModel = "models:/";

bool is_prompt(const SourceModel& model) {
  return std::any_of(model.tags.begin(), model.tags.end(),
                     [](const auto& tag) { return tag.first == "mlflow.prompt.is_prompt"; });
}

std::string there_or_nothing(const std::map<std::string, std::string>& ids, const std::string& ours) {
  const auto at = ids.find(ours);
  return at == ids.end() ? "" : at->second;
}

/// "runs:/OURS/path" with the id there; empty when that did not come.
std::string with_id_there(std::string_view source, std::string_view scheme,
                          const std::map<std::string, std::string>& ids) {
  const std::string_view rest = source.substr(scheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  const auto at = ids.find(std::string(rest.substr(0, slash)));
  return at == ids.end() ? "" : std::string(scheme) + at->second + std::string(rest.substr(slash));
}

/// Where the version's files lie there; as it is for what lies in no run and no logged model.
std::string source_there(const Push& push, const SourceVersion& version) {
  std::string source = rewritten_source(version);
  if (source.starts_with(kOfRun)) return with_id_there(source, kOfRun, push.runs);
  if (source.starts_with("models:/m-")) return with_id_there(source, kOfModel, push.models);
  return source;
}

using Versions = std::map<std::int64_t, PushedVersion>;

Result<void> create_version(Push& push, const SourceModel& model, const SourceVersion& version, Versions& versions) {
  const std::string source = source_there(push, version);
  if (source.empty())
    return Error{ErrorCode::failed_precondition,
                 "what it was made of was not pushed: " + clean_utf8(version.source, 300)};
  const std::string number =
      TRY(push.target.create_version(model.name, version, source, there_or_nothing(push.runs, version.run_id),
                                     there_or_nothing(push.models, version.model_id)));
  versions.emplace(version.number, PushedVersion{number, "None"});
  ++push.report.versions.carried;
  const bool is_there = source.starts_with(kOfRun) || source.starts_with("models:/m-");
  if (!is_there && !is_prompt(model))
    push.report.add_problem(
        fmt::format("the files of version {} of model '{}' stay at {}: they lie in no run and no "
                    "logged model",
                    version.number, model.name, clean_utf8(source, 300)));
  return {};
}

Result<void> push_version(Push& push, const SourceModel& model, const SourceVersion& version, Versions& versions) {
  if (versions.contains(version.number)) {
    ++push.report.versions.unchanged;
  } else {
    TRY(create_version(push, model, version, versions));
  }
  const PushedVersion& there = versions.at(version.number);
  const std::string stage = version.stage.empty() ? "None" : version.stage;
  if (stage == (there.stage.empty() ? "None" : there.stage)) return {};
  return push.target.set_stage(model.name, there.number, stage);
}

Result<void> push_alias(Push& push, const SourceModel& model, const std::string& alias, std::int64_t version,
                        const Json& there, const Versions& numbers) {
  const auto number = numbers.find(version);
  if (number == numbers.end())
    return Error{ErrorCode::failed_precondition, fmt::format("its version {} was not pushed", version)};
  for (const Json& known : there["aliases"].array()) {
    const Json& at = known["version"];
    const std::string text = at.is_string() ? at.string() : at.render();
    if (known["alias"].string() != alias || text != number->second.number) continue;
    ++push.report.aliases.unchanged;
    return {};
  }
  TRY(push.target.set_alias(model.name, alias, number->second.number));
  ++push.report.aliases.carried;
  return {};
}

Result<void> push_model(Push& push, const SourceModel& model) {
  const Json there = TRY(push.target.model(model.name));
  if (there.is_null()) {
    TRY(push.target.create_model(model));
    ++push.report.models.carried;
  } else {
    ++push.report.models.unchanged;
  }
  Versions numbers;
  if (!there.is_null()) numbers = TRY(push.target.versions(model.name));
  for (const SourceVersion& version : model.versions) {
    ++push.report.versions.seen;
    TRY(note(push.report, fmt::format("version {} of model '{}'", version.number, model.name),
             push_version(push, model, version, numbers)));
  }
  for (const auto& [alias, version] : model.aliases) {
    ++push.report.aliases.seen;
    TRY(note(push.report, fmt::format("alias '{}' of model '{}'", alias, model.name),
             push_alias(push, model, alias, version, there, numbers)));
  }
  for (const auto& [ours, version] : numbers) {
    if (version.number == std::to_string(ours)) continue;
    push.report.left_behind.push_back(fmt::format(
        "the numbers of versions of model '{}': MLflow counts by itself, so that version {} is {} there (the "
        "tag {} has ours)",
        model.name, ours, version.number, kPushedVersionTag));
    break;
  }
  return {};
}

}  // namespace

Result<void> push_models(Push& push) {
  for (const SourceModel& model : TRY(push.source.models())) {
    if (push.options.stop && *push.options.stop) return Error{ErrorCode::cancelled, "the push was stopped"};
    ++push.report.models.seen;
    TRY(note(push.report, "model '" + model.name + "'", push_model(push, model)));
  }
  return {};
}

}  // namespace slipway::imports

#include "imports/carry_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace slipway::imports {
namespace {

constexpr std::string_view kReason = "imported from ";
constexpr size_t kRunIdDigits = 32;

bool is_run_id(std::string_view text) {
  return text.size() == kRunIdDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Whether the version's files are among what was carried with runs and logged models.
bool is_ours(std::string_view source) { return source.starts_with("runs:/") || source.starts_with("models:/m-"); }

/// MLflow keeps prompts as models whose versions have texts in tags and no files.
bool is_prompt(const SourceModel& model) {
  return std::any_of(model.tags.begin(), model.tags.end(),
                     [](const auto& tag) { return tag.first == "mlflow.prompt.is_prompt"; });
}

/// Tags there that are missing or different here; null when there are none.
Json missing_tags(const Pairs& there, const Json& here) {
  Json missing;
  for (const auto& [key, value] : there) {
    const Json* known = here.find(key);
    if (known == nullptr || known->string() != value) missing.set(key, value);
  }
  return missing;
}

/// A version that is here gets what it lacks; its files never change.
Result<void> complete_version(Worker& worker, const SourceModel& model, const SourceVersion& version,
                              const Json& here) {
  Json change;
  if (Json tags = missing_tags(version.tags, here["tags"]); !tags.is_null()) change.set("tags", std::move(tags));
  const std::string stage = version.stage.empty() ? "None" : version.stage;
  const std::string stage_here = here["stage"].string().empty() ? "None" : here["stage"].string();
  if (stage != stage_here) change.set("stage", stage);
  if (version.description != here["description"].string()) change.set("description", version.description);
  if (change.is_null()) {
    ++worker.report.versions.unchanged;
    return {};
  }
  TRY(worker.destination.change_version(model.name, version.number, change));
  ++worker.report.versions.carried;
  return {};
}

Result<void> carry_version(Worker& worker, const SourceModel& model, const SourceVersion& version) {
  Json here = TRY(worker.destination.version(model.name, version.number));
  if (!here.is_null()) return complete_version(worker, model, version, here);
  const std::string source = rewritten_source(version);
  TRY(worker.destination.make_version(model.name, version, source));
  if (!version.stage.empty() && version.stage != "None")
    TRY(worker.destination.change_version(model.name, version.number, Json().set("stage", version.stage)));
  ++worker.report.versions.carried;
  if (!is_ours(source) && !source.empty() && !is_prompt(model))
    worker.report.add_problem(fmt::format("the files of version {} of model '{}': they lie at {}, in no run",
                                          version.number, model.name, clean_utf8(source, 200)));
  return {};
}

/// Follows the source as long as nobody here moved the alias by hand.
Result<void> carry_alias(Worker& worker, const SourceModel& model, const std::string& alias, std::int64_t version,
                         const Json& here) {
  ++worker.report.aliases.seen;
  const auto at = here["aliases"][alias].integer();
  if (at == version) {
    ++worker.report.aliases.unchanged;
    return {};
  }
  if (at) {
    const std::string reason = TRY(worker.destination.last_reason(model.name, alias));
    if (!reason.starts_with(kReason)) {
      worker.report.add_problem(
          fmt::format("alias '{}' of model '{}': version {} there, but moved to version {} here by hand", alias,
                      model.name, version, *at));
      return {};
    }
  }
  TRY(worker.destination.move_alias(model.name, alias, version, std::string(kReason) + worker.source.title()));
  ++worker.report.aliases.carried;
  return {};
}

Result<void> carry_model(Worker& worker, const SourceModel& model) {
  const Json here = TRY(worker.destination.model(model.name));
  if (here.is_null()) {
    TRY(worker.destination.make_model(model));
    ++worker.report.models.carried;
  } else {
    ++worker.report.models.unchanged;
  }
  for (const SourceVersion& version : model.versions) {
    ++worker.report.versions.seen;
    TRY(note(worker.report, fmt::format("version {} of model '{}'", version.number, model.name),
             carry_version(worker, model, version)));
  }
  for (const auto& [alias, version] : model.aliases) {
    TRY(note(worker.report, fmt::format("alias '{}' of model '{}'", alias, model.name),
             carry_alias(worker, model, alias, version, here)));
  }
  return {};
}

}  // namespace

std::string rewritten_source(const SourceVersion& version) {
  const std::string& source = version.source;
  if (source.starts_with("runs:/") || source.starts_with("models:/")) return source;
  const size_t end = source.find('?');
  std::vector<std::string> parts = split(std::string_view(source).substr(0, end), '/');
  std::erase_if(parts, [](const std::string& part) { return part.empty(); });
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] != "artifacts") continue;
    const std::string& owner = parts[i - 1];
    std::string path = join({parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, parts.end()}, "/");
    if (!path.empty()) path.insert(0, "/");
    if (owner.starts_with("m-") && i >= 2 && parts[i - 2] == "models") return "models:/" + owner + path;
    if (owner == version.run_id || is_run_id(owner)) return "runs:/" + owner + path;
  }
  return source;
}

Result<void> carry_models(Worker& worker) {
  for (const SourceModel& model : TRY(worker.source.models())) {
    if (worker.options.stop && *worker.options.stop) return {};
    ++worker.report.models.seen;
    TRY(note(worker.report, "model '" + model.name + "'", carry_model(worker, model)));
  }
  return {};
}

}  // namespace slipway::imports

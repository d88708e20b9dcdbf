#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "registry/model_rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr std::string_view kNextNumber =
    "UPDATE models SET version_last = version_last + 1, updated_at = ? WHERE number = ? RETURNING version_last";
constexpr std::string_view kClaimNumber =
    "UPDATE models SET version_last = CASE WHEN version_last < ? THEN ? ELSE version_last END, updated_at = ? WHERE number = ?";
constexpr std::string_view kSelectNumber = "SELECT version FROM model_versions WHERE model = ? AND version = ?";
constexpr std::string_view kInsertVersion =
    "INSERT INTO model_versions (model, version, id, description, source, run_id, run_link, logged_model_id, status, details, created_by, "
    "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdateVersion =
    "UPDATE model_versions SET description = ?, status = ?, status_message = ?, stage = ?, details = ?, updated_at = ? WHERE model = ? AND version = ?";
constexpr std::string_view kArchiveOthers =
    "UPDATE model_versions SET stage = 'Archived', updated_at = ? WHERE model = ? AND stage = ? AND version <> ? AND deleted_at IS NULL";
constexpr std::string_view kUpsertTag =
    "INSERT INTO model_version_tags (model, version, key, value) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (model, version, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kDeleteTag = "DELETE FROM model_version_tags WHERE model = ? AND version = ? AND key = ?";
constexpr std::string_view kRemoveVersion =
    "UPDATE model_versions SET deleted_at = ?, updated_at = ? WHERE model = ? AND version = ?";
constexpr std::string_view kRemoveArtifacts =
    "DELETE FROM artifacts WHERE owner_kind = 'model_version' AND owner_id = ?";
constexpr std::string_view kSelectLatestOfStage =
    "SELECT MAX(version) FROM model_versions WHERE model = ? AND stage = ? AND status = 'ready' AND deleted_at IS NULL";

constexpr std::uint64_t kDetailsFileBytesMax = 1 << 20;  // of MLmodel, labels.txt and preprocess.json
const std::vector<std::string> kStages = {"None", "Staging", "Production", "Archived"};

Result<std::string> canonical_stage(std::string_view text) {
  for (const std::string& stage : kStages) {
    if (equals_ignore_case(stage, text)) return stage;
  }
  return Error{ErrorCode::invalid_argument, fmt::format("Invalid Model Version stage: {}. Value must be one of {}.",
                                                        clean_utf8(text, 100), join(kStages, ", "))};
}

catalog::Value id_or_null(const std::string* id) {
  return id != nullptr && !id->empty() ? catalog::Value(*id) : catalog::Value(nullptr);
}

/// Members of `change` replace those of `details`; null removes.
Json merged(const Json& details, const Json& change) {
  Json::Object out;
  for (const auto& [key, value] : details.object()) {
    if (change.find(key) == nullptr) out.emplace_back(key, value);
  }
  for (const auto& [key, value] : change.object()) {
    if (!value.is_null()) out.emplace_back(key, value);
  }
  return out;
}

/// A name per line; empty lines at the end are none.
Json labels_of(std::string_view text) {
  Json::Array labels;
  size_t named = 0;
  for (const std::string& line : split(text, '\n')) {
    labels.emplace_back(trim(line));
    if (!trim(line).empty()) named = labels.size();
  }
  labels.resize(named);
  return labels;
}

/// The number of a new version: the one that was asked for, also never used before, or the next.
Result<std::int64_t> number_of_new(Connection& c, const ModelRow& row, const NewVersion& request, Time now) {
  if (!request.number)
    return TRY(c.first(kNextNumber, {now.micros, row.number}, [](const Row& r) { return r.integer(0); })).value();
  const auto taken =
      TRY(c.first(kSelectNumber, {row.number, *request.number}, [](const Row& r) { return r.integer(0); }));
  if (taken)
    return Error{ErrorCode::already_exists,
                 fmt::format("version {} of this model exists already, or was removed", *request.number)};
  TRY(c.run(kClaimNumber, {*request.number, *request.number, now.micros, row.number}));
  return *request.number;
}

}  // namespace

// --- making --------------------------------------------------------------------------------------------------------

Result<std::vector<Artifact>> Models::files_of(const ProjectId& project, const NewVersion& request) {
  if (!request.files.empty()) return request.files;
  auto location = locate_source(request.source);
  if (!location && request.logged_model)
    location = SourceLocation{OwnerKind::logged_model, request.logged_model->text, ""};
  if (!location) return std::vector<Artifact>();
  auto files = TRY(artifacts_.all({project, location->kind, location->id}, location->path));
  for (Artifact& file : files) {
    // Relative to the version's root; a single file keeps its own name.
    if (file.path == location->path) {
      file.path = file.path.substr(file.path.rfind('/') + 1);
    } else if (!location->path.empty()) {
      file.path = file.path.substr(location->path.size() + 1);
    }
  }
  return files;
}

Result<std::optional<std::string>> Models::text_of(const std::vector<Artifact>& files, std::string_view name) {
  const auto file =
      std::find_if(files.begin(), files.end(), [&](const Artifact& candidate) { return candidate.path == name; });
  if (file == files.end()) return std::optional<std::string>();
  auto text = store_.get(file->hash, kDetailsFileBytesMax);
  if (!text.ok()) return context(text.error(), fmt::format("{} beside the model cannot be read", name));
  return std::optional(std::move(*text));
}

Result<Json> Models::details_of(const NewVersion& request, const std::vector<Artifact>& files) {
  Json details{Json::Object{}};
  if (const auto mlmodel = TRY(text_of(files, "MLmodel"))) {
    const Json told = details_of_mlmodel(*mlmodel);
    if (told.is_object()) details = told;
  }
  if (const auto labels = TRY(text_of(files, "labels.txt"))) {
    if (!is_utf8(*labels))
      return Error{ErrorCode::invalid_argument,
                   "labels.txt beside the model is no UTF-8 text; expected the name of a class in each line"};
    details.set("labels", labels_of(*labels));
  }
  if (const auto preprocess = TRY(text_of(files, "preprocess.json"))) {
    auto json = Json::parse(*preprocess);
    if (!json.ok() || !json->is_object()) {
      return Error{ErrorCode::invalid_argument, fmt::format("preprocess.json beside the model is no JSON object{}",
                                                            json.ok() ? "" : ": " + json.error().message)};
    }
    details.set("preprocess", std::move(*json));
  }
  return request.details.is_object() ? merged(details, request.details) : details;
}

Result<Version> Models::create_version(const ProjectId& project, std::string_view model, const NewVersion& request) {
  TRY(check_description(request.description));
  for (const auto& [key, value] : request.tags) TRY(check_registry_tag(key, value));
  const auto files = TRY(files_of(project, request));
  for (const Artifact& file : files) TRY(store_.lease(file.hash));
  const Json details = TRY(details_of(request, files));
  const Time now = clock_.now();
  const std::string id = new_id_text(clock_);
  auto made = database_.write_value(Durability::record, [&](Connection& c) -> Result<Version> {
    const ModelRow row = TRY(find_model(c, project, model));
    const std::int64_t number = TRY(number_of_new(c, row, request, now));
    TRY(c.run(kInsertVersion, {row.number, number, id, request.description, request.source,
                               id_or_null(request.run ? &request.run->text : nullptr), request.run_link,
                               id_or_null(request.logged_model ? &request.logged_model->text : nullptr),
                               std::string(name(request.status)), details.render(), request.created_by,
                               request.created_at.value_or(now).micros, now.micros}));
    for (const auto& [key, value] : request.tags) TRY(c.run(kUpsertTag, {row.number, number, key, value}));
    for (Artifact file : files) {
      file.created_at = now;
      TRY(put_artifact(c, {project, OwnerKind::model_version, id}, file));
    }
    TRY(TRY(Telling::of(listener_, c, project, row.number, model)).version_created(number, request));
    return TRY(find_version(c, row, number)).version;
  });
  if (made.ok()) changed(project, model);
  return made;
}

// --- changing ------------------------------------------------------------------------------------------------------

Result<Version> Models::change_version(const ProjectId& project, std::string_view model, std::int64_t number,
                                       bool touch,
                                       const std::function<Result<void>(Connection&, std::int64_t, Version&)>& change) {
  const Time now = clock_.now();
  auto changed_version = database_.write_value(Durability::record, [&](Connection& c) -> Result<Version> {
    const ModelRow row = TRY(find_model(c, project, model));
    Version version = TRY(find_version(c, row, number)).version;
    TRY(change(c, row.number, version));
    TRY(c.run(kUpdateVersion,
              {version.description, std::string(name(version.status)), version.status_message, version.stage,
               version.details.render(), touch ? now.micros : version.updated_at.micros, row.number, number}));
    if (touch) TRY(touch_model(c, row.number, now));
    return TRY(find_version(c, row, number)).version;
  });
  if (changed_version.ok()) changed(project, model);
  return changed_version;
}

Result<Version> Models::update_version(const ProjectId& project, std::string_view model, std::int64_t number,
                                       const VersionChange& change) {
  if (change.description) TRY(check_description(*change.description));
  if (change.details && !change.details->is_object()) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("the details of a version are a {}; expected an object with inputs, outputs, preprocess, labels",
                    change.details->type_name())};
  }
  return change_version(project, model, number, true, [&](Connection&, std::int64_t, Version& version) -> Result<void> {
    if (change.description) version.description = *change.description;
    if (change.status) version.status = *change.status;
    if (change.status_message) version.status_message = *change.status_message;
    if (change.details) version.details = merged(version.details, *change.details);
    return {};
  });
}

Result<Version> Models::transition(const ProjectId& project, std::string_view model, std::int64_t number,
                                   std::string_view stage, bool archive_existing) {
  const std::string canonical = TRY(canonical_stage(stage));
  if (archive_existing && canonical != "Staging" && canonical != "Production") {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("archive_existing_versions is only for the stages Staging and Production; found {}", canonical)};
  }
  const Time now = clock_.now();
  return change_version(project, model, number, true,
                        [&](Connection& c, std::int64_t model_number, Version& version) -> Result<void> {
                          if (archive_existing)
                            TRY(c.run(kArchiveOthers, {now.micros, model_number, canonical, number}));
                          version.stage = canonical;
                          return {};
                        });
}

Result<void> Models::set_version_tag(const ProjectId& project, std::string_view model, std::int64_t number,
                                     std::string_view key, std::string_view value) {
  TRY(check_registry_tag(key, value));
  TRY(change_version(
      project, model, number, false, [&](Connection& c, std::int64_t model_number, Version& version) -> Result<void> {
        if (version.tags.size() >= kRegistryTagsMax)
          return Error{ErrorCode::invalid_argument,
                       fmt::format("a model version may have at most {} tags", kRegistryTagsMax)};
        TRY(c.run(kUpsertTag, {model_number, number, std::string(key), std::string(value)}));
        return TRY(Telling::of(listener_, c, project, model_number, model)).version_tagged(number, key, &value);
      }));
  return {};
}

Result<void> Models::remove_version_tag(const ProjectId& project, std::string_view model, std::int64_t number,
                                        std::string_view key) {
  TRY(check_registry_tag(key, ""));
  TRY(change_version(
      project, model, number, false, [&](Connection& c, std::int64_t model_number, Version&) -> Result<void> {
        TRY(c.run(kDeleteTag, {model_number, number, std::string(key)}));
        return TRY(Telling::of(listener_, c, project, model_number, model)).version_tagged(number, key, nullptr);
      }));
  return {};
}

Result<void> Models::remove_version(const ProjectId& project, std::string_view model, std::int64_t number,
                                    std::string_view member) {
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const ModelRow row = TRY(find_model(c, project, model));
    const VersionRow version = TRY(find_version(c, row, number));
    for (const std::string& alias : version.version.aliases) {
      TRY(move_alias(c, row.number, alias, std::nullopt, now, member, fmt::format("version {} was removed", number)));
    }
    TRY(c.run(kRemoveArtifacts, {version.version.id}));
    TRY(c.run(kRemoveVersion, {now.micros, now.micros, row.number, number}));
    return touch_model(c, row.number, now);
  }));
  changed(project, model);
  return {};
}

// --- asking --------------------------------------------------------------------------------------------------------

Result<Version> Models::version(const ProjectId& project, std::string_view model, std::int64_t number) {
  return database_.read_value([&](Connection& c) -> Result<Version> {
    const ModelRow row = TRY(find_model(c, project, model));
    return TRY(find_version(c, row, number)).version;
  });
}

Result<std::vector<Version>> Models::latest_versions(const ProjectId& project, std::string_view model,
                                                     const std::vector<std::string>& stages) {
  std::vector<std::string> canonical;
  for (const std::string& stage : stages.empty() ? kStages : stages) canonical.push_back(TRY(canonical_stage(stage)));
  return database_.read_value([&](Connection& c) -> Result<std::vector<Version>> {
    const ModelRow row = TRY(find_model(c, project, model));
    std::vector<Version> versions;
    for (const std::string& stage : canonical) {
      const auto number =
          TRY(c.first(kSelectLatestOfStage, {row.number, stage}, [](const Row& r) { return r.maybe_integer(0); }));
      if (number && *number) versions.push_back(TRY(find_version(c, row, **number)).version);
    }
    return versions;
  });
}

Result<std::vector<Artifact>> Models::files(const ProjectId& project, std::string_view model, std::int64_t number) {
  const Version found = TRY(version(project, model, number));
  return artifacts_.all({project, OwnerKind::model_version, found.id});
}

}  // namespace slipway::registry

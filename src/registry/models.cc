#include "registry/models.h"

#include <fmt/format.h>

#include "base/text.h"
#include "registry/model_rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;

constexpr std::string_view kInsertModel =
    "INSERT INTO models (id, project_id, name, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING number";
constexpr std::string_view kRenameModel = "UPDATE models SET name = ?, updated_at = ? WHERE number = ?";
constexpr std::string_view kDescribeModel = "UPDATE models SET description = ?, updated_at = ? WHERE number = ?";
constexpr std::string_view kUpsertTag =
    "INSERT INTO model_tags (model, key, value) VALUES (?, ?, ?) ON CONFLICT (model, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kCountTags = "SELECT COUNT(*) FROM model_tags WHERE model = ?";
constexpr std::string_view kDeleteTag = "DELETE FROM model_tags WHERE model = ? AND key = ?";
constexpr std::string_view kRemoveModel = "UPDATE models SET deleted_at = ?, updated_at = ? WHERE number = ?";
constexpr std::string_view kRemoveVersions =
    "UPDATE model_versions SET deleted_at = ? WHERE model = ? AND deleted_at IS NULL";
constexpr std::string_view kRemoveArtifacts =
    "DELETE FROM artifacts WHERE owner_kind = 'model_version' AND owner_id IN (SELECT id FROM model_versions WHERE model = ?)";

Result<void> check_model_name(std::string_view name) {
  const bool has_controls =
      std::any_of(name.begin(), name.end(), [](unsigned char ch) { return ch < 0x20 || ch == 0x7f; });
  if (!name.empty() && name.size() <= kModelNameBytesMax && is_utf8(name) && !has_controls &&
      name.find_first_of("/:") == std::string_view::npos)
    return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "'{}' cannot be the name of a registered model; expected 1 to {} bytes of text without '/', ':' and line breaks",
          clean_utf8(name, 100), kModelNameBytesMax)};
}

Error name_taken(std::string_view name) {
  return {ErrorCode::already_exists, fmt::format("Registered Model (name={}) already exists.", name)};
}

Result<void> put_tag(Connection& c, std::int64_t model, const std::string& key, const std::string& value) {
  TRY(c.run(kUpsertTag, {model, key, value}));
  const auto count = TRY(c.first(kCountTags, {model}, [](const catalog::Row& row) { return row.integer(0); }));
  if (count.value_or(0) > static_cast<std::int64_t>(kRegistryTagsMax)) {
    return Error{ErrorCode::invalid_argument, fmt::format("a model may have at most {} tags", kRegistryTagsMax)};
  }
  return {};
}

}  // namespace

void Models::changed(const ProjectId& project, std::string_view name) {
  if (listener_ != nullptr) listener_->committed();
  if (events_ != nullptr) events_->emit({EventKind::model_changed, project, std::string(name)});
}

Result<Model> Models::create(const ProjectId& project, std::string_view name, std::string_view description,
                             const Tags& tags) {
  TRY(check_model_name(name));
  TRY(check_description(description));
  for (const auto& [key, value] : tags) TRY(check_registry_tag(key, value));
  const Time now = clock_.now();
  const std::string id = new_id_text(clock_);
  auto made = database_.write_value(Durability::record, [&](Connection& c) -> Result<Model> {
    auto number =
        c.first(kInsertModel, {id, project.text, std::string(name), std::string(description), now.micros, now.micros},
                [](const catalog::Row& row) { return row.integer(0); });
    if (!number.ok()) return number.error().code == ErrorCode::already_exists ? name_taken(name) : number.error();
    for (const auto& [key, value] : tags) TRY(put_tag(c, **number, key, value));
    TRY(TRY(Telling::of(listener_, c, project, **number, name)).created(description, tags));
    ModelRow row = TRY(find_model(c, project, name));
    TRY(complete_model(c, row));
    return row.model;
  });
  if (made.ok()) changed(project, name);
  return made;
}

Result<Model> Models::get(const ProjectId& project, std::string_view name) {
  return database_.read_value([&](Connection& c) -> Result<Model> {
    ModelRow row = TRY(find_model(c, project, name));
    TRY(complete_model(c, row));
    return row.model;
  });
}

Result<Model> Models::rename(const ProjectId& project, std::string_view name, std::string_view new_name) {
  TRY(check_model_name(new_name));
  const Time now = clock_.now();
  auto renamed = database_.write_value(Durability::record, [&](Connection& c) -> Result<Model> {
    const ModelRow before = TRY(find_model(c, project, name));
    const auto done = c.run(kRenameModel, {std::string(new_name), now.micros, before.number});
    if (!done.ok()) return done.error().code == ErrorCode::already_exists ? name_taken(new_name) : done.error();
    ModelRow row = TRY(find_model(c, project, new_name));
    TRY(complete_model(c, row));
    return row.model;
  });
  if (renamed.ok()) changed(project, new_name);
  return renamed;
}

Result<Model> Models::describe(const ProjectId& project, std::string_view name, std::string_view description) {
  TRY(check_description(description));
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const ModelRow row = TRY(find_model(c, project, name));
    TRY(c.run(kDescribeModel, {std::string(description), now.micros, row.number}));
    return {};
  }));
  changed(project, name);
  return get(project, name);
}

Result<void> Models::set_tag(const ProjectId& project, std::string_view name, std::string_view key,
                             std::string_view value) {
  TRY(check_registry_tag(key, value));
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const ModelRow row = TRY(find_model(c, project, name));
    TRY(put_tag(c, row.number, std::string(key), std::string(value)));
    TRY(TRY(Telling::of(listener_, c, project, row.number, name)).tagged(key, &value));
    return touch_model(c, row.number, now);
  }));
  changed(project, name);
  return {};
}

Result<void> Models::remove_tag(const ProjectId& project, std::string_view name, std::string_view key) {
  TRY(check_registry_tag(key, ""));
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const ModelRow row = TRY(find_model(c, project, name));
    // Before it goes: the tag may be the one that makes a prompt of it.
    TRY(TRY(Telling::of(listener_, c, project, row.number, name)).tagged(key, nullptr));
    TRY(c.run(kDeleteTag, {row.number, std::string(key)}));
    return touch_model(c, row.number, now);
  }));
  changed(project, name);
  return {};
}

Result<void> Models::remove(const ProjectId& project, std::string_view name) {
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    ModelRow row = TRY(find_model(c, project, name));
    TRY(complete_model(c, row));
    for (const auto& [alias, version] : row.model.aliases) {
      TRY(move_alias(c, row.number, alias, std::nullopt, now, "", "the model was removed"));
    }
    TRY(c.run(kRemoveArtifacts, {row.number}));
    TRY(c.run(kRemoveVersions, {now.micros, row.number}));
    TRY(c.run(kRemoveModel, {now.micros, now.micros, row.number}));
    return {};
  }));
  changed(project, name);
  return {};
}

}  // namespace slipway::registry

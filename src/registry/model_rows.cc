#include "registry/model_rows.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Row;

constexpr std::string_view kSelectModel =
    "SELECT m.number, m.id, m.project_id, m.name, m.description, m.created_at, m.updated_at FROM models m "
    "WHERE m.project_id = ? AND m.name = ? AND m.deleted_at IS NULL";
constexpr std::string_view kSelectModelTags = "SELECT key, value FROM model_tags WHERE model = ? ORDER BY key";
constexpr std::string_view kSelectModelAliases = "SELECT alias, version FROM model_aliases WHERE model = ?";
constexpr std::string_view kSelectModelCounts =
    "SELECT COUNT(*), MAX(version) FROM model_versions WHERE model = ? AND deleted_at IS NULL";
constexpr std::string_view kSelectVersion =
    "SELECT v.model, m.id, m.name, v.version, v.id, v.description, v.source, v.run_id, v.run_link, v.logged_model_id, v.status, "
    "v.status_message, v.stage, v.details, v.created_by, v.created_at, v.updated_at "
    "FROM model_versions v JOIN models m ON m.number = v.model WHERE v.model = ? AND v.version = ? AND v.deleted_at IS NULL";
constexpr std::string_view kSelectVersionTags =
    "SELECT key, value FROM model_version_tags WHERE model = ? AND version = ? ORDER BY key";
constexpr std::string_view kSelectVersionAliases =
    "SELECT alias FROM model_aliases WHERE model = ? AND version = ? ORDER BY alias";
constexpr std::string_view kTouchModel = "UPDATE models SET updated_at = ? WHERE number = ?";
constexpr std::string_view kSelectAlias = "SELECT version FROM model_aliases WHERE model = ? AND alias = ?";
constexpr std::string_view kUpsertAlias =
    "INSERT INTO model_aliases (model, alias, version) VALUES (?, ?, ?) ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version";
constexpr std::string_view kDeleteAlias = "DELETE FROM model_aliases WHERE model = ? AND alias = ?";
constexpr std::string_view kInsertMove =
    "INSERT INTO model_alias_moves (model, alias, from_version, to_version, at, member, reason) VALUES (?, ?, ?, ?, ?, ?, ?)";

VersionStatus parse_status(std::string_view text) {
  if (text == "pending") return VersionStatus::pending;
  return text == "failed" ? VersionStatus::failed : VersionStatus::ready;
}

}  // namespace

std::string_view name(VersionStatus status) {
  switch (status) {
    case VersionStatus::pending: return "pending";
    case VersionStatus::ready: return "ready";
    case VersionStatus::failed: return "failed";
  }
  return "";
}

ModelRow model_of_row(const Row& row) {
  Model model{ModelId(row.text(1)),
              ProjectId(row.text(2)),
              std::string(row.text(3)),
              std::string(row.text(4)),
              {},
              Time{row.integer(5)},
              Time{row.integer(6)},
              0,
              0,
              {}};
  return {row.integer(0), std::move(model)};
}

Result<void> complete_model(Connection& c, ModelRow& row) {
  row.model.tags = TRY(tags_of(c, kSelectModelTags, {row.number}));
  row.model.aliases.clear();
  TRY(c.run(kSelectModelAliases, {row.number}, [&](const Row& alias) {
    row.model.aliases.emplace(alias.text(0), alias.integer(1));
    return true;
  }));
  TRY(c.run(kSelectModelCounts, {row.number}, [&](const Row& counts) {
    row.model.version_count = counts.integer(0);
    row.model.version_latest = counts.integer(1);
    return false;
  }));
  return {};
}

Result<ModelRow> find_model(Connection& c, const ProjectId& project, std::string_view name) {
  auto row = TRY(c.first(kSelectModel, {project.text, clean_utf8(name)}, model_of_row));
  if (!row)
    return Error{ErrorCode::not_found, fmt::format("Registered Model with name={} not found", clean_utf8(name, 300))};
  return std::move(*row);
}

VersionRow version_of_row(const Row& row) {
  Version v;
  v.model_id = ModelId(row.text(1));
  v.model = row.text(2);
  v.version = row.integer(3);
  v.id = row.text(4);
  v.description = row.text(5);
  v.source = row.text(6);
  if (const auto run = row.maybe_text(7)) v.run = RunId(*run);
  v.run_link = row.text(8);
  if (const auto logged = row.maybe_text(9)) v.logged_model = LoggedModelId(*logged);
  v.status = parse_status(row.text(10));
  v.status_message = row.text(11);
  v.stage = row.text(12);
  v.details = Json::parse(row.text(13)).value_or(Json(Json::Object{}));
  v.created_by = row.text(14);
  v.created_at = Time{row.integer(15)};
  v.updated_at = Time{row.integer(16)};
  return {row.integer(0), std::move(v)};
}

Result<void> complete_version(Connection& c, VersionRow& row) {
  row.version.tags = TRY(tags_of(c, kSelectVersionTags, {row.model_number, row.version.version}));
  row.version.aliases = TRY(c.rows(kSelectVersionAliases, {row.model_number, row.version.version},
                                   [](const Row& alias) { return std::string(alias.text(0)); }));
  return {};
}

Result<VersionRow> find_version(Connection& c, const ModelRow& model, std::int64_t number) {
  auto row = TRY(c.first(kSelectVersion, {model.number, number}, version_of_row));
  if (!row)
    return Error{ErrorCode::not_found,
                 fmt::format("Model Version (name={}, version={}) not found", model.model.name, number)};
  TRY(complete_version(c, *row));
  return std::move(*row);
}

Result<void> touch_model(Connection& c, std::int64_t number, Time now) {
  TRY(c.run(kTouchModel, {now.micros, number}));
  return {};
}

Result<void> move_alias(Connection& c, std::int64_t model, std::string_view alias, std::optional<std::int64_t> version,
                        Time now, std::string_view member, std::string_view reason) {
  const std::string text(alias);
  const std::optional<std::int64_t> before =
      TRY(c.first(kSelectAlias, {model, text}, [](const Row& row) { return row.integer(0); }));
  if (before == version) return {};
  if (version) {
    TRY(c.run(kUpsertAlias, {model, text, *version}));
  } else {
    TRY(c.run(kDeleteAlias, {model, text}));
  }
  TRY(c.run(kInsertMove,
            {model, text, nullable(before), nullable(version), now.micros, std::string(member), std::string(reason)}));
  return {};
}

Result<void> check_registry_tag(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > kRegistryTagKeyBytesMax || !is_utf8(key)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the tag key '{}' is not allowed; expected 1 to {} bytes of text", clean_utf8(key, 100),
                             kRegistryTagKeyBytesMax)};
  }
  if (value.size() > kRegistryTagValueBytesMax || !is_utf8(value)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the value of tag '{}' has {} bytes; at most {} of text are taken", key, value.size(),
                             kRegistryTagValueBytesMax)};
  }
  return {};
}

Result<void> check_description(std::string_view description) {
  if (description.size() <= kDescriptionBytesMax && is_utf8(description)) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("the description has {} bytes; at most {} of text are taken",
                                                        description.size(), kDescriptionBytesMax)};
}

}  // namespace slipway::registry

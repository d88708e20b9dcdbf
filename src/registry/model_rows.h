// Reading models and versions inside a transaction; for this room's .cc files.
#pragma once

#include <string>
#include <string_view>

#include "registry/models.h"

namespace slipway::registry {

/// A model with the number its other rows know it by.
struct ModelRow {
  std::int64_t number = 0;
  Model model;
};

/// not_found with the name when there is none.
Result<ModelRow> find_model(catalog::Connection& c, const ProjectId& project, std::string_view name);
/// Columns of kModelColumns, from table models as m; reads tags, aliases and counts as well.
inline constexpr std::string_view kModelColumns =
    "m.number, m.id, m.project_id, m.name, m.description, m.created_at, m.updated_at";
ModelRow model_of_row(const catalog::Row& row);
Result<void> complete_model(catalog::Connection& c, ModelRow& row);

/// A version with its model's number.
struct VersionRow {
  std::int64_t model_number = 0;
  Version version;
};
inline constexpr std::string_view kVersionColumns =
    "v.model, m.id, m.name, v.version, v.id, v.description, v.source, v.run_id, v.run_link, v.logged_model_id, v.status, "
    "v.status_message, v.stage, v.details, v.created_by, v.created_at, v.updated_at";
VersionRow version_of_row(const catalog::Row& row);
Result<void> complete_version(catalog::Connection& c, VersionRow& row);
/// not_found with model and number when there is none (or it was removed).
Result<VersionRow> find_version(catalog::Connection& c, const ModelRow& model, std::int64_t number);

Result<void> touch_model(catalog::Connection& c, std::int64_t number, Time now);
/// Points the alias at a version (nullopt removes it) and writes the move down; nothing when it points there already.
Result<void> move_alias(catalog::Connection& c, std::int64_t model, std::string_view alias,
                        std::optional<std::int64_t> version, Time now, std::string_view member,
                        std::string_view reason);

}  // namespace slipway::registry

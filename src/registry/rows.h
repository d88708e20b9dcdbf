// Small helpers that turn columns into values and back, for this room's .cc files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "catalog/catalog.h"

namespace slipway::registry {

/// Tags, sorted by key when read.
using Tags = std::vector<std::pair<std::string, std::string>>;

inline Hash hash_of_row(const catalog::Row& row, int column) {
  const auto hash = parse_hash(row.text(column));
  CHECK(hash.ok(), "a hash in the database is no hash: " + std::string(row.text(column)));
  return *hash;
}

inline catalog::Value nullable(const std::optional<std::string>& text) {
  return text ? catalog::Value(*text) : catalog::Value(nullptr);
}
inline catalog::Value nullable(const std::optional<std::int64_t>& number) {
  return number ? catalog::Value(*number) : catalog::Value(nullptr);
}

inline Result<Tags> tags_of(catalog::Connection& connection, std::string_view sql, const catalog::Values& values) {
  return connection.rows(sql, values, [](const catalog::Row& row) {
    return std::pair(std::string(row.text(0)), std::string(row.text(1)));
  });
}

/// Within the limits that models.h names; the error says what was found.
Result<void> check_registry_tag(std::string_view key, std::string_view value);
Result<void> check_description(std::string_view description);

/// Lists that can be ordered by anything page by position: the token says how many come before.
Result<std::int64_t> parse_position_token(std::string_view token);
std::string render_position_token(std::int64_t position);

}  // namespace slipway::registry

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "registry/model_rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

constexpr std::string_view kSelectAliasVersion = "SELECT version FROM model_aliases WHERE model = ? AND alias = ?";
constexpr std::string_view kSelectLatest =
    "SELECT version FROM model_versions WHERE model = ? AND deleted_at IS NULL ORDER BY version DESC LIMIT 1";
constexpr std::string_view kSelectMoves =
    "SELECT number, at, alias, from_version, to_version, member, reason FROM model_alias_moves "
    "WHERE model = ? AND (? = '' OR alias = ?) AND number < ? ORDER BY number DESC LIMIT ?";
constexpr std::int64_t kHistoryPageMax = 1'000;

/// Letters, digits, '_' and '-'; `latest` and v7 are ways of saying a number.
Result<void> check_alias(std::string_view alias) {
  const auto is_plain = [](unsigned char ch) { return std::isalnum(ch) || ch == '_' || ch == '-'; };
  if (alias.empty() || alias.size() > kAliasBytesMax || !std::all_of(alias.begin(), alias.end(), is_plain)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' cannot be an alias; expected 1 to {} letters, digits, '_' and '-'",
                             clean_utf8(alias, 100), kAliasBytesMax)};
  }
  const bool is_number =
      alias.size() > 1 && (alias[0] == 'v' || alias[0] == 'V') && parse_u64(alias.substr(1)).has_value();
  if (lower(alias) == "latest" || is_number) {
    return Error{ErrorCode::invalid_argument, fmt::format("'{}' is a reserved word and cannot be an alias", alias)};
  }
  return {};
}

Result<VersionRow> find_by_alias(Connection& c, const ModelRow& model, std::string_view alias) {
  const auto number = TRY(
      c.first(kSelectAliasVersion, {model.number, clean_utf8(alias)}, [](const Row& row) { return row.integer(0); }));
  if (!number)
    return Error{ErrorCode::not_found, fmt::format("Registered model alias {} not found.", clean_utf8(alias, 100))};
  return find_version(c, model, *number);
}

}  // namespace

Result<void> Models::set_alias(const ProjectId& project, std::string_view model, std::string_view alias,
                               std::int64_t version, std::string_view member, std::string_view reason) {
  TRY(check_alias(alias));
  TRY(check_description(reason));
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const ModelRow row = TRY(find_model(c, project, model));
    TRY(find_version(c, row, version));
    TRY(move_alias(c, row.number, alias, version, now, member, reason));
    TRY(TRY(Telling::of(listener_, c, project, row.number, model)).alias_moved(alias, version));
    return touch_model(c, row.number, now);
  }));
  changed(project, model);
  return {};
}

Result<void> Models::remove_alias(const ProjectId& project, std::string_view model, std::string_view alias,
                                  std::string_view member, std::string_view reason) {
  TRY(check_alias(alias));
  const Time now = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    const ModelRow row = TRY(find_model(c, project, model));
    TRY(move_alias(c, row.number, alias, std::nullopt, now, member, reason));
    TRY(TRY(Telling::of(listener_, c, project, row.number, model)).alias_moved(alias, std::nullopt));
    return touch_model(c, row.number, now);
  }));
  changed(project, model);
  return {};
}

Result<Version> Models::version_of_alias(const ProjectId& project, std::string_view model, std::string_view alias) {
  return database_.read_value([&](Connection& c) -> Result<Version> {
    const ModelRow row = TRY(find_model(c, project, model));
    return TRY(find_by_alias(c, row, alias)).version;
  });
}

Result<Version> Models::resolve(const ProjectId& project, const Reference& reference) {
  if (reference.kind != Reference::Kind::model) {
    return Error{ErrorCode::invalid_argument,
                 "'" + render(reference) + "' names no model; expected model:name@alias or model:name/3"};
  }
  return database_.read_value([&](Connection& c) -> Result<Version> {
    const ModelRow row = TRY(find_model(c, project, reference.name));
    if (reference.version > 0) return TRY(find_version(c, row, reference.version)).version;
    if (reference.at != "latest") return TRY(find_by_alias(c, row, reference.at)).version;
    const auto latest = TRY(c.first(kSelectLatest, {row.number}, [](const Row& found) { return found.integer(0); }));
    if (!latest) return Error{ErrorCode::not_found, "the model " + reference.name + " has no version yet"};
    return TRY(find_version(c, row, *latest)).version;
  });
}

Result<Page<AliasMove>> Models::history(const ProjectId& project, std::string_view model, std::string_view alias,
                                        std::int64_t page_size, std::string_view page_token) {
  const std::int64_t before = page_token.empty() ? INT64_MAX : TRY(parse_position_token(page_token));
  page_size = std::clamp<std::int64_t>(page_size, 1, kHistoryPageMax);
  return database_.read_value([&](Connection& c) -> Result<Page<AliasMove>> {
    const ModelRow row = TRY(find_model(c, project, model));
    Page<AliasMove> page;
    std::int64_t last = 0;
    const std::string text(alias);
    TRY(c.run(kSelectMoves, {row.number, text, text, before, page_size + 1}, [&](const Row& move) {
      if (static_cast<std::int64_t>(page.items.size()) == page_size) {
        page.next_page_token = render_position_token(last);
        return false;
      }
      last = move.integer(0);
      page.items.push_back({Time{move.integer(1)}, std::string(move.text(2)), move.maybe_integer(3),
                            move.maybe_integer(4), std::string(move.text(5)), std::string(move.text(6))});
      return true;
    }));
    return page;
  });
}

}  // namespace slipway::registry

// A project goes only when it holds nothing, so that nothing can be lost by it, unless the caller sees to what it
// holds. What may hold something is asked of the database itself: every table with a project_id, so that a room that
// comes later is not forgotten here.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "teams/teams.h"

namespace slipway::teams {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

namespace {

// What a project has without holding anything: answers to repeat, numbers of names, its own rules, what was done in it.
constexpr std::array<std::string_view, 5> kOwn{"audit", "idempotency_keys", "metric_names", "project_erasures",
                                               "retention_rules"};
// The experiment that clients mean when they name none is made for whoever looks.
constexpr std::string_view kMadeByItself = " AND name <> 'Default'";

Result<std::vector<std::string>> tables_of_projects(Connection& connection) {
  const char* sql =
      connection.is_postgres()
          ? "SELECT table_name FROM information_schema.columns WHERE column_name = 'project_id' AND table_schema = "
            "current_schema() ORDER BY table_name"
          : "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'project_id' WHERE m.type = "
            "'table' ORDER BY m.name";
  return connection.rows(sql, {}, [](const Row& row) { return std::string(row.text(0)); });
}

/// failed_precondition, by the first table that has something.
Result<void> check_empty(Connection& connection, const std::string& project, const std::string& project_name) {
  for (const std::string& table : TRY(tables_of_projects(connection))) {
    if (std::find(kOwn.begin(), kOwn.end(), table) != kOwn.end()) continue;
    const auto count = TRY(connection.first(fmt::format("SELECT COUNT(*) FROM {} WHERE project_id = ?{}", table,
                                                        table == "experiments" ? kMadeByItself : ""),
                                            {project}, [](const Row& row) { return row.integer(0); }));
    if (count.value_or(0) == 0) continue;
    return Error{
        ErrorCode::failed_precondition,
        fmt::format("Cannot delete workspace '{}': table '{}' still contains {} resource(s). A project goes only "
                    "when it is empty; remove what it holds for good, or archive it elsewhere, first",
                    project_name, table, *count)};
  }
  return {};
}

}  // namespace

Result<void> Teams::remove_project(std::string_view project_name, const Empty& empty) {
  const std::string wanted = clean_utf8(project_name, 200);
  TRY(database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const auto id = TRY(connection.first("SELECT id FROM projects WHERE name = ? AND archived = 0", {wanted},
                                         [](const Row& row) { return std::string(row.text(0)); }));
    if (!id) return Error{ErrorCode::not_found, fmt::format("Workspace '{}' not found", wanted)};
    if (*id == kDefaultProject.text) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("The '{}' workspace is reserved and cannot be deleted", wanted)};
    }
    if (empty) {
      TRY(empty(connection, ProjectId(*id)));
    } else {
      TRY(check_empty(connection, *id, wanted));
    }
    // The row stays for what names it (the trail, the experiment that was made by itself); its name is free again.
    TRY(connection.run("UPDATE projects SET archived = 1, name = ? WHERE id = ?",
                       {fmt::format("{} (deleted {})", wanted, *id), *id}));
    return {};
  }));
  return refresh();
}

}  // namespace slipway::teams

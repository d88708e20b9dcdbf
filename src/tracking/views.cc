#include "tracking/views.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;

namespace {

constexpr std::string_view kSelect =
    "SELECT id, project_id, page, name, query, member, created_at, updated_at FROM views ";

SavedView make_view(const catalog::Row& row) {
  return {.id = ViewId(row.text(0)),
          .project = ProjectId(row.text(1)),
          .page = std::string(row.text(2)),
          .name = std::string(row.text(3)),
          .query = std::string(row.text(4)),
          .member = std::string(row.text(5)),
          .created_at = {row.integer(6)},
          .updated_at = {row.integer(7)}};
}

Error no_view(const ViewId& id) {
  return {ErrorCode::not_found, fmt::format("there is no view '{}' in this project", clean_utf8(id.text, 100))};
}

Error name_taken(const std::string& page, const std::string& name) {
  return {ErrorCode::already_exists,
          fmt::format("the page '{}' has a view named '{}' already; change that one or choose another name", page,
                      clean_utf8(name, kViewNameBytesMax))};
}

Result<SavedView> read(Connection& connection, const ProjectId& project, const ViewId& id) {
  auto found = TRY(
      connection.first(std::string(kSelect) + "WHERE id = ? AND project_id = ?", {id.text, project.text}, make_view));
  if (!found) return no_view(id);
  return std::move(*found);
}

Result<void> check_room(Connection& connection, const ProjectId& project) {
  const auto count = TRY(connection.first("SELECT COUNT(*) FROM views WHERE project_id = ?", {project.text},
                                          [](const catalog::Row& row) { return row.integer(0); }));
  if (count.value_or(0) < kViewsMax) return {};
  return Error{ErrorCode::failed_precondition,
               fmt::format("the project has {} views, which is the most there may be; delete one first", kViewsMax)};
}

}  // namespace

Result<SavedView> Views::create(SavedView made) {
  TRY(check_view_page(made.page));
  TRY(check_view_name(made.name));
  TRY(check_view_query(made.query));
  made.id = new_id<ViewId>(clock_);
  made.created_at = made.updated_at = clock_.now();
  TRY(database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    TRY(check_room(connection, made.project));
    const auto rows =
        TRY(connection.run("INSERT INTO views (id, project_id, page, name, query, member, created_at, updated_at) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, page, name) DO NOTHING",
                           {made.id.text, made.project.text, made.page, made.name, made.query, made.member,
                            made.created_at.micros, made.updated_at.micros}));
    if (rows == 0) return name_taken(made.page, made.name);
    return {};
  }));
  return made;
}

Result<std::vector<SavedView>> Views::list(const ProjectId& project, const std::string& page) {
  return database_.read_value([&](Connection& connection) {
    return connection.rows(
        std::string(kSelect) + "WHERE project_id = ? AND (? = '' OR page = ?) ORDER BY page, name, id",
        {project.text, page, page}, make_view);
  });
}

Result<SavedView> Views::get(const ProjectId& project, const ViewId& id) {
  return database_.read_value([&](Connection& connection) { return read(connection, project, id); });
}

Result<SavedView> Views::change(const ProjectId& project, const ViewId& id, const ViewChange& change) {
  if (change.name) TRY(check_view_name(*change.name));
  if (change.query) TRY(check_view_query(*change.query));
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<SavedView> {
    SavedView view = TRY(read(connection, project, id));
    view.name = change.name.value_or(view.name);
    view.query = change.query.value_or(view.query);
    view.updated_at = clock_.now();
    const auto changed = connection.run("UPDATE views SET name = ?, query = ?, updated_at = ? WHERE id = ?",
                                        {view.name, view.query, view.updated_at.micros, view.id.text});
    if (!changed.ok() && changed.error().code == ErrorCode::already_exists) return name_taken(view.page, view.name);
    if (!changed.ok()) return changed.error();
    return view;
  });
}

Result<void> Views::remove(const ProjectId& project, const ViewId& id) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const auto gone = TRY(connection.run("DELETE FROM views WHERE id = ? AND project_id = ?", {id.text, project.text}));
    if (gone == 0) return no_view(id);
    return {};
  });
}

}  // namespace slipway::tracking

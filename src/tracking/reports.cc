#include "tracking/reports.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;

namespace {

constexpr std::string_view kSelect =
    "SELECT r.id, r.project_id, r.title, r.revision, r.author, r.editor, r.created_at, r.updated_at, r.deleted_at";
constexpr std::string_view kSelectRevision = "SELECT number, title, bytes, member, created_at";

Report make_report(const catalog::Row& row) {
  Report report;
  report.id = ReportId(row.text(0));
  report.project = ProjectId(row.text(1));
  report.title = row.text(2);
  report.revision = row.integer(3);
  report.author = row.text(4);
  report.editor = row.text(5);
  report.created_at = {row.integer(6)};
  report.updated_at = {row.integer(7)};
  if (!row.is_null(8)) report.deleted_at = Time{row.integer(8)};
  return report;
}

Report make_whole(const catalog::Row& row) {
  Report report = make_report(row);
  report.text = std::string(row.text(9));
  return report;
}

ReportRevision make_revision(const catalog::Row& row) {
  return {.number = row.integer(0),
          .title = std::string(row.text(1)),
          .text = "",
          .bytes = row.integer(2),
          .member = std::string(row.text(3)),
          .created_at = {row.integer(4)}};
}

ReportRevision make_whole_revision(const catalog::Row& row) {
  ReportRevision revision = make_revision(row);
  revision.text = std::string(row.text(5));
  return revision;
}

Error no_report(const ReportId& id) {
  return {ErrorCode::not_found, fmt::format("there is no report '{}' in this project", clean_utf8(id.text, 100))};
}

Error changed_meanwhile(const Report& now, std::int64_t based_on) {
  return {
      ErrorCode::already_exists,
      fmt::format("the report '{}' has been changed meanwhile: it is at revision {}, by {}, and this change was made "
                  "to revision {}; read it again, put both together, and send that",
                  now.title, now.revision, now.editor, based_on)};
}

Error put_aside(const Report& report) {
  return {ErrorCode::failed_precondition,
          fmt::format("the report '{}' was deleted; restore it before changing it", report.title)};
}

Result<Report> read(Connection& connection, const ProjectId& project, const ReportId& id) {
  auto found = TRY(connection.first(std::string(kSelect) +
                                        ", v.text FROM reports r JOIN report_revisions v ON v.report_id = r.id AND "
                                        "v.number = r.revision WHERE r.id = ? AND r.project_id = ?",
                                    {id.text, project.text}, make_whole));
  if (!found) return no_report(id);
  return std::move(*found);
}

Result<void> check_room(Connection& connection, const ProjectId& project) {
  const auto count = TRY(connection.first("SELECT COUNT(*) FROM reports WHERE project_id = ?", {project.text},
                                          [](const catalog::Row& row) { return row.integer(0); }));
  if (count.value_or(0) < kReportsMax) return {};
  return Error{
      ErrorCode::failed_precondition,
      fmt::format("the project has {} reports, which is the most there may be, those deleted in the last {} days "
                  "included; put some of them together",
                  kReportsMax, kReportsKeptDeleted.count() / 24)};
}

Result<void> write_revision(Connection& connection, const Report& report) {
  TRY(
      connection.run("INSERT INTO report_revisions (report_id, number, title, text, bytes, member, created_at) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?)",
                     {report.id.text, report.revision, report.title, report.text,
                      static_cast<std::int64_t>(report.text.size()), report.editor, report.updated_at.micros}));
  TRY(connection.run("DELETE FROM report_revisions WHERE report_id = ? AND number <= ?",
                     {report.id.text, report.revision - kReportRevisionsMax}));
  return {};
}

/// Those of the project that were put aside long ago.
Result<void> forget_old(Connection& connection, const ProjectId& project, Time now) {
  const std::int64_t before = (now - kReportsKeptDeleted).micros;
  TRY(
      connection.run("DELETE FROM report_revisions WHERE report_id IN (SELECT id FROM reports WHERE project_id = ? AND "
                     "deleted_at < ?)",
                     {project.text, before}));
  TRY(connection.run("DELETE FROM reports WHERE project_id = ? AND deleted_at < ?", {project.text, before}));
  return {};
}

}  // namespace

Result<Report> Reports::create(Report made) {
  TRY(check_report_title(made.title));
  TRY(check_report_text(made.text));
  made.id = new_id<ReportId>(clock_);
  made.created_at = made.updated_at = clock_.now();
  made.editor = made.author;
  made.revision = 1;
  TRY(database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    TRY(forget_old(connection, made.project, made.created_at));
    TRY(check_room(connection, made.project));
    TRY(
        connection.run("INSERT INTO reports (id, project_id, title, revision, author, editor, created_at, updated_at) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       {made.id.text, made.project.text, made.title, made.revision, made.author, made.editor,
                        made.created_at.micros, made.updated_at.micros}));
    return write_revision(connection, made);
  }));
  tell(made.project, made.id);
  return made;
}

Result<std::vector<Report>> Reports::list(const ProjectId& project, bool deleted) {
  return database_.read_value([&](Connection& connection) {
    return connection.rows(std::string(kSelect) + " FROM reports r WHERE r.project_id = ? AND r.deleted_at IS " +
                               (deleted ? "NOT NULL" : "NULL") + " ORDER BY r.updated_at DESC, r.id",
                           {project.text}, make_report);
  });
}

Result<Report> Reports::get(const ProjectId& project, const ReportId& id) {
  return database_.read_value([&](Connection& connection) { return read(connection, project, id); });
}

Result<Report> Reports::change(const ProjectId& project, const ReportId& id, const ReportChange& change) {
  if (change.title) TRY(check_report_title(*change.title));
  if (change.text) TRY(check_report_text(*change.text));
  Report changed = TRY(database_.write_value(Durability::record, [&](Connection& connection) -> Result<Report> {
    Report report = TRY(read(connection, project, id));
    if (report.deleted_at) return put_aside(report);
    if (report.revision != change.based_on) return changed_meanwhile(report, change.based_on);
    const bool differs =
        change.title.value_or(report.title) != report.title || change.text.value_or(report.text) != report.text;
    if (!differs) return report;
    report.title = change.title.value_or(report.title);
    report.text = change.text.value_or(report.text);
    report.editor = change.member;
    report.updated_at = clock_.now();
    ++report.revision;
    TRY(connection.run("UPDATE reports SET title = ?, revision = ?, editor = ?, updated_at = ? WHERE id = ?",
                       {report.title, report.revision, report.editor, report.updated_at.micros, report.id.text}));
    TRY(write_revision(connection, report));
    return report;
  }));
  if (changed.revision != change.based_on) tell(project, id);
  return changed;
}

Result<void> Reports::remove(const ProjectId& project, const ReportId& id) {
  TRY(database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const Time now = clock_.now();
    TRY(forget_old(connection, project, now));
    const auto gone =
        TRY(connection.run("UPDATE reports SET deleted_at = ? WHERE id = ? AND project_id = ? AND deleted_at IS NULL",
                           {now.micros, id.text, project.text}));
    if (gone == 0) return no_report(id);
    return {};
  }));
  tell(project, id);
  return {};
}

Result<Report> Reports::restore(const ProjectId& project, const ReportId& id) {
  Report restored = TRY(database_.write_value(Durability::record, [&](Connection& connection) -> Result<Report> {
    TRY(connection.run("UPDATE reports SET deleted_at = NULL WHERE id = ? AND project_id = ?",
                       {id.text, project.text}));
    return read(connection, project, id);
  }));
  tell(project, id);
  return restored;
}

void Reports::tell(const ProjectId& project, const ReportId& id) {
  if (events_) events_->emit({EventKind::report_changed, project, id.text});
}

Result<std::vector<ReportRevision>> Reports::revisions(const ProjectId& project, const ReportId& id) {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<ReportRevision>> {
    TRY(read(connection, project, id));
    return connection.rows(
        std::string(kSelectRevision) + " FROM report_revisions WHERE report_id = ? ORDER BY number DESC", {id.text},
        make_revision);
  });
}

Result<ReportRevision> Reports::revision(const ProjectId& project, const ReportId& id, std::int64_t number) {
  return database_.read_value([&](Connection& connection) -> Result<ReportRevision> {
    const Report report = TRY(read(connection, project, id));
    auto found = TRY(connection.first(
        std::string(kSelectRevision) + ", text FROM report_revisions WHERE report_id = ? AND number = ?",
        {id.text, number}, make_whole_revision));
    if (found) return std::move(*found);
    return Error{
        ErrorCode::not_found,
        fmt::format("the report '{}' has no revision {}; its newest is {}, and of older ones the last {} are kept",
                    report.title, number, report.revision, kReportRevisionsMax)};
  });
}

}  // namespace slipway::tracking

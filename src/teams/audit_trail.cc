// The audit trail: lines that are added and never changed.
#include "teams/teams.h"

namespace slipway::teams {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;
using catalog::Value;

constexpr std::string_view kInsert =
    "INSERT INTO audit (id, at, member_id, action, kind, subject, details, project_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO NOTHING";
constexpr std::string_view kSelect =
    "SELECT a.id, a.at, a.member_id, a.action, a.kind, a.subject, a.details, a.project_id, m.name, p.name FROM audit a "
    "LEFT JOIN members m ON m.id = a.member_id LEFT JOIN projects p ON p.id = a.project_id";

/// What was asked for, as SQL and its values.
class Where {
 public:
  void add(std::string_view condition, std::initializer_list<Value> values) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
    values_.insert(values_.end(), values);
  }
  const std::string& text() const { return text_; }
  catalog::Values values() const { return values_; }

 private:
  std::string text_;
  catalog::Values values_;
};

Where where_of(const AuditQuery& query) {
  Where where;
  if (!query.person.empty())
    where.add("a.member_id IN (SELECT id FROM members WHERE id = ? OR name = ?)", {query.person, query.person});
  if (!query.action.empty()) {
    const std::string words = query.action + " ";
    where.add("substr(a.action || ' ', 1, length(CAST(? AS TEXT))) = ?", {words, words});
  }
  if (!query.subject.empty()) where.add("a.subject = ?", {query.subject});
  if (!query.project.empty())
    where.add("a.project_id IN (SELECT id FROM projects WHERE id = ? OR name = ?)", {query.project, query.project});
  if (query.since) where.add("a.at >= ?", {query.since->micros});
  if (query.until) where.add("a.at < ?", {query.until->micros});
  if (!query.before.empty()) where.add("a.id < ?", {query.before});
  return where;
}

AuditEntry entry_of(const Row& row) {
  AuditEntry entry;
  entry.line.id = row.text(0);
  entry.at = Time{row.integer(1)};
  entry.line.member = MemberId(row.text(2));
  entry.line.action = row.text(3);
  entry.line.kind = row.text(4);
  entry.line.subject = row.text(5);
  entry.line.details = row.text(6);
  if (const auto project = row.maybe_text(7)) entry.line.project = ProjectId(*project);
  entry.member_name = row.maybe_text(8).value_or("");
  entry.project_name = row.maybe_text(9).value_or("");
  return entry;
}

}  // namespace

Result<void> Teams::audit(Connection& c, const AuditLine& line) {
  TRY(c.run(kInsert,
            {line.id.empty() ? new_audit_id() : line.id, clock_.now().micros, line.member.text, line.action, line.kind,
             line.subject, line.details, line.project ? Value(line.project->text) : Value(nullptr)}));
  return {};
}

Result<void> Teams::audit(const AuditLine& line) {
  return database_.write(Durability::record, catalog::Write([&](Connection& c) { return audit(c, line); }));
}

Result<std::vector<AuditEntry>> Teams::audit_trail(const AuditQuery& query) {
  const Where where = where_of(query);
  catalog::Values values = where.values();
  values.emplace_back(static_cast<std::int64_t>(query.most));
  return database_.read_value([&](Connection& c) {
    return c.rows(std::string(kSelect) + where.text() + " ORDER BY a.id DESC LIMIT ?", values, entry_of);
  });
}

}  // namespace slipway::teams

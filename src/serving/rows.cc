#include "serving/rows.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kRevisionColumns =
    "r.id, r.number, r.model, r.version, r.state, r.message, r.member, r.reason, r.created_at";

Revision revision_of_row(const catalog::Row& row) {
  Revision revision;
  revision.id = RevisionId(row.text(0));
  revision.number = row.integer(1);
  revision.model = row.text(2);
  revision.version = row.integer(3);
  revision.state = parse_revision_state(row.text(4)).value_or(RevisionState::failed);
  revision.message = row.text(5);
  revision.member = row.text(6);
  revision.reason = row.text(7);
  revision.created_at = {row.integer(8)};
  return revision;
}

Result<DeploymentRow> deployment_of_row(const catalog::Row& row) {
  DeploymentRow out;
  out.id = DeploymentId(row.text(0));
  out.project = ProjectId(row.text(1));
  out.spec.name = row.text(2);
  out.spec.model = TRY(parse_reference(row.text(3)));
  out.spec.replicas_min = static_cast<int>(row.integer(4));
  out.spec.replicas_max = static_cast<int>(row.integer(5));
  out.spec.batch_max = static_cast<int>(row.integer(6));
  out.spec.batch_delay = Duration(row.integer(7));
  out.spec.capture = TRY(Json::parse(row.text(8)));
  out.wanted = row.text(9) == "running";
  if (!row.is_null(10)) out.active_revision = RevisionId(row.text(10));
  out.created_by = row.text(11);
  out.created_at = {row.integer(12)};
  out.updated_at = {row.integer(13)};
  return out;
}

}  // namespace

Result<void> insert_deployment(catalog::Connection& c, const DeploymentRow& row) {
  const auto taken = TRY(c.first("SELECT 1 FROM deployments WHERE project_id = ? AND name = ? AND deleted_at IS NULL",
                                 {row.project.text, row.spec.name}, [](const catalog::Row&) { return true; }));
  if (taken)
    return Error{ErrorCode::already_exists,
                 "there is a deployment '" + row.spec.name +
                     "' already; change it with `slipway deployments update`, or choose another name"};
  TRY(c.run(
      "INSERT INTO deployments (id, project_id, name, model, replicas_min, replicas_max, batch_max, batch_delay_us, capture, wanted, active_revision, created_by, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
      {row.id.text, row.project.text, row.spec.name, render(row.spec.model), std::int64_t{row.spec.replicas_min},
       std::int64_t{row.spec.replicas_max}, std::int64_t{row.spec.batch_max}, row.spec.batch_delay.count(),
       row.spec.capture.render(), std::string(row.wanted ? "running" : "stopped"), row.created_by,
       row.created_at.micros, row.updated_at.micros}));
  return {};
}

Result<void> update_deployment(catalog::Connection& c, const DeploymentRow& row) {
  const std::int64_t changed = TRY(c.run(
      "UPDATE deployments SET model = ?, replicas_min = ?, replicas_max = ?, batch_max = ?, batch_delay_us = ?, capture = ?, wanted = ?, updated_at = ? WHERE id = ? AND deleted_at IS NULL",
      {render(row.spec.model), std::int64_t{row.spec.replicas_min}, std::int64_t{row.spec.replicas_max},
       std::int64_t{row.spec.batch_max}, row.spec.batch_delay.count(), row.spec.capture.render(),
       std::string(row.wanted ? "running" : "stopped"), row.updated_at.micros, row.id.text}));
  if (changed == 0) return Error{ErrorCode::not_found, "the deployment '" + row.spec.name + "' was deleted meanwhile"};
  return {};
}

Result<void> mark_deleted(catalog::Connection& c, const DeploymentId& id, Time now) {
  TRY(c.run("UPDATE deployments SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", {now.micros, id.text}));
  TRY(c.run(
      "UPDATE deployment_revisions SET state = 'retired' WHERE deployment_id = ? AND state IN ('starting', 'active')",
      {id.text}));
  return {};
}

Result<std::vector<DeploymentRow>> all_deployments(catalog::Connection& c) {
  const auto rows = TRY(c.rows(
      "SELECT id, project_id, name, model, replicas_min, replicas_max, batch_max, batch_delay_us, capture, wanted, active_revision, created_by, created_at, updated_at FROM deployments WHERE deleted_at IS NULL ORDER BY project_id, name",
      {}, deployment_of_row));
  std::vector<DeploymentRow> out;
  for (const auto& row : rows) {
    if (!row.ok()) return row.error();
    out.push_back(*row);
  }
  return out;
}

Result<Revision> insert_revision(catalog::Connection& c, const DeploymentId& deployment, Revision revision) {
  const auto last = TRY(c.first("SELECT MAX(number) FROM deployment_revisions WHERE deployment_id = ?",
                                {deployment.text}, [](const catalog::Row& row) { return row.integer(0); }));
  revision.number = last.value_or(0) + 1;
  TRY(c.run(
      "INSERT INTO deployment_revisions (id, deployment_id, number, model, version, state, message, member, reason, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {revision.id.text, deployment.text, revision.number, revision.model, revision.version,
       std::string(name(revision.state)), revision.message, revision.member, revision.reason,
       revision.created_at.micros}));
  return revision;
}

Result<void> set_revision_state(catalog::Connection& c, const RevisionId& id, RevisionState state,
                                std::string_view message) {
  TRY(c.run("UPDATE deployment_revisions SET state = ?, message = ? WHERE id = ?",
            {std::string(name(state)), std::string(message), id.text}));
  return {};
}

Result<void> activate_revision(catalog::Connection& c, const DeploymentId& deployment, const RevisionId& id, Time now) {
  TRY(c.run(
      "UPDATE deployment_revisions SET state = 'retired' WHERE deployment_id = ? AND state = 'active' AND id <> ?",
      {deployment.text, id.text}));
  TRY(c.run("UPDATE deployment_revisions SET state = 'active', message = '' WHERE id = ?", {id.text}));
  TRY(c.run("UPDATE deployments SET active_revision = ?, updated_at = ? WHERE id = ?",
            {id.text, now.micros, deployment.text}));
  return {};
}

Result<std::vector<Revision>> revisions_of(catalog::Connection& c, const DeploymentId& deployment, size_t most) {
  static const std::string sql =
      "SELECT " + std::string(kRevisionColumns) +
      " FROM deployment_revisions r WHERE r.deployment_id = ? ORDER BY r.number DESC LIMIT ?";
  return c.rows(sql, {deployment.text, static_cast<std::int64_t>(most)}, revision_of_row);
}

Result<std::optional<RevisionOrigin>> find_revision(catalog::Connection& c, const RevisionId& id) {
  static const std::string sql =
      "SELECT " + std::string(kRevisionColumns) +
      ", d.id, d.project_id, d.name FROM deployment_revisions r JOIN deployments d ON d.id = r.deployment_id WHERE r.id = ?";
  return c.first(sql, {id.text}, [](const catalog::Row& row) {
    return RevisionOrigin{revision_of_row(row), DeploymentId(row.text(9)), ProjectId(row.text(10)),
                          std::string(row.text(11))};
  });
}

}  // namespace slipway::serving

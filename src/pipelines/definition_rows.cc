#include "pipelines/definition_rows.h"

#include "base/text.h"

namespace slipway::pipelines::rows {
namespace {

using catalog::Connection;
using catalog::Row;
using catalog::Value;

#define DEFINITION_COLUMNS "project_id, pipeline, member, snapshot, manifest, enabled, created_at, updated_at"
#define TRIGGER_COLUMNS "name, kind, position, seen, state, message, failures, armed_at, fired_at, pipeline_run_id"

Definition definition_of(const Row& row) {
  Definition definition;
  definition.project = ProjectId(row.text(0));
  definition.pipeline = row.text(1);
  definition.member = row.text(2);
  definition.snapshot = row.text(3);
  definition.manifest = row.text(4);
  definition.enabled = row.integer(5) != 0;
  definition.created_at = Time{row.integer(6)};
  definition.updated_at = Time{row.integer(7)};
  return definition;
}

TriggerRow trigger_of(const Row& row) {
  TriggerRow trigger;
  trigger.name = row.text(0);
  trigger.kind = row.text(1);
  trigger.position = row.integer(2);
  trigger.seen = row.text(3);
  trigger.state = parse_trigger_state(row.text(4)).value_or(TriggerState::broken);
  trigger.message = row.text(5);
  trigger.failures = row.integer(6);
  trigger.armed_at = Time{row.integer(7)};
  if (const auto fired = row.maybe_integer(8)) trigger.fired_at = Time{*fired};
  trigger.run = row.text(9);
  return trigger;
}

Value nullable(const std::optional<Time>& time) { return time ? Value(time->micros) : Value(nullptr); }

Result<std::vector<Definition>> with_triggers(Connection& c, Result<std::vector<Definition>> found) {
  if (!found.ok()) return found;
  for (Definition& definition : *found) {
    definition.triggers = TRY(c.rows("SELECT " TRIGGER_COLUMNS
                                     " FROM pipeline_triggers WHERE project_id = ? AND pipeline = ? ORDER BY position",
                                     {definition.project.text, definition.pipeline}, trigger_of));
  }
  return found;
}

}  // namespace

Result<void> upsert_definition(Connection& c, const Definition& definition) {
  TRY(c.run(
      "INSERT INTO pipeline_definitions (" DEFINITION_COLUMNS
      ", file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, pipeline) DO UPDATE SET "
      "member = excluded.member, snapshot = excluded.snapshot, manifest = excluded.manifest, enabled = excluded.enabled, updated_at = excluded.updated_at, file = excluded.file",
      {definition.project.text, definition.pipeline, definition.member, definition.snapshot, definition.manifest,
       std::int64_t{definition.enabled}, definition.created_at.micros, definition.updated_at.micros, definition.file}));
  return {};
}

Result<std::optional<Definition>> select_definition(Connection& c, const ProjectId& project,
                                                    std::string_view pipeline) {
  const std::string key(pipeline);
  auto found = TRY(with_triggers(
      c, c.rows("SELECT " DEFINITION_COLUMNS " FROM pipeline_definitions WHERE project_id = ? AND pipeline = ?",
                {project.text, key}, definition_of)));
  if (found.empty()) return std::optional<Definition>();
  const auto text = [](const Row& row) { return std::string(row.text(0)); };
  found.front().file = TRY(c.first("SELECT file FROM pipeline_definitions WHERE project_id = ? AND pipeline = ?",
                                   {project.text, key}, text))
                           .value_or("");
  return std::optional(std::move(found.front()));
}

Result<std::vector<Definition>> select_definitions(Connection& c, const ProjectId& project) {
  return with_triggers(
      c, c.rows("SELECT " DEFINITION_COLUMNS " FROM pipeline_definitions WHERE project_id = ? ORDER BY pipeline",
                {project.text}, definition_of));
}

Result<std::vector<Definition>> select_enabled(Connection& c) {
  return with_triggers(c, c.rows("SELECT " DEFINITION_COLUMNS
                                 " FROM pipeline_definitions WHERE enabled = 1 ORDER BY project_id, pipeline",
                                 {}, definition_of));
}

Result<void> replace_triggers(Connection& c, const ProjectId& project, std::string_view pipeline,
                              const std::vector<TriggerRow>& triggers) {
  TRY(c.run("DELETE FROM pipeline_triggers WHERE project_id = ? AND pipeline = ?",
            {project.text, std::string(pipeline)}));
  for (const TriggerRow& trigger : triggers) {
    TRY(c.run("INSERT INTO pipeline_triggers (project_id, pipeline, " TRIGGER_COLUMNS
              ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
              {project.text, std::string(pipeline), trigger.name, trigger.kind, trigger.position, trigger.seen,
               std::string(name(trigger.state)), trigger.message, trigger.failures, trigger.armed_at.micros,
               nullable(trigger.fired_at), trigger.run}));
  }
  return {};
}

Result<void> update_trigger(Connection& c, const ProjectId& project, std::string_view pipeline,
                            const TriggerRow& trigger, const std::string& seen_before) {
  const auto changed = TRY(c.run(
      "UPDATE pipeline_triggers SET seen = ?, state = ?, message = ?, failures = ?, fired_at = ?, pipeline_run_id = ? "
      "WHERE project_id = ? AND pipeline = ? AND name = ? AND seen = ? AND armed_at = ?",
      {trigger.seen, std::string(name(trigger.state)), trigger.message, trigger.failures, nullable(trigger.fired_at),
       trigger.run, project.text, std::string(pipeline), trigger.name, seen_before, trigger.armed_at.micros}));
  if (changed == 1) return {};
  return Error{ErrorCode::cancelled, "somebody else has changed the trigger '" + trigger.name + "' meanwhile"};
}

Result<Failures> select_failures(Connection& c, const ProjectId& project, std::string_view pipeline,
                                 const TriggerRow& trigger, size_t most) {
  const auto ended = TRY(c.rows(
      "SELECT r.id, r.state FROM pipeline_runs r JOIN pipeline_run_causes k ON k.pipeline_run_id = r.id "
      "WHERE r.project_id = ? AND r.pipeline = ? AND k.name = ? AND r.created_at >= ? AND r.state IN ('finished', 'failed') ORDER BY r.id DESC LIMIT ?",
      {project.text, std::string(pipeline), trigger.name, trigger.armed_at.micros, static_cast<std::int64_t>(most)},
      [](const Row& row) { return std::pair(std::string(row.text(0)), row.text(1) == "failed"); }));
  Failures failures;
  for (const auto& [run, failed] : ended) {
    if (!failed) break;
    failures.in_a_row += 1;
  }
  if (failures.in_a_row == 0) return failures;
  const auto told = [](const Row& row) { return std::string(row.text(0)) + ": " + std::string(row.text(1)); };
  failures.last =
      TRY(c.first(
              "SELECT name, message FROM pipeline_nodes WHERE pipeline_run_id = ? AND state = 'failed' ORDER BY position LIMIT 1",
              {ended.front().first}, told))
          .value_or("");
  return failures;
}

Result<std::int64_t> count_started(Connection& c, const ProjectId& project, std::string_view pipeline,
                                   const TriggerRow& trigger, Time since) {
  const auto number = [](const Row& row) { return row.integer(0); };
  return TRY(c.first(
                 "SELECT COUNT(*) FROM pipeline_runs r JOIN pipeline_run_causes k ON k.pipeline_run_id = r.id WHERE r.project_id = ? AND r.pipeline = ? AND k.name = ? AND r.created_at > ?",
                 {project.text, std::string(pipeline), trigger.name, since.micros}, number))
      .value_or(0);
}

}  // namespace slipway::pipelines::rows

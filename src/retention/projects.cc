#include "retention/projects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tracking/projects.h"

namespace slipway::retention {
namespace {

using catalog::Connection;
using catalog::Row;

std::string text_of(const Row& row) { return std::string(row.text(0)); }

struct Check {
  const char* sql;  // of one project; answers a name
  const char* sentence;
};

constexpr Check kAtWork[] = {
    {"SELECT run_id FROM executions WHERE project_id = ? AND state NOT IN ('draft', 'finished', 'failed', 'killed') LIMIT 1",
     "its run {} is not over; stop it first (`slipway runs stop`)"},
    {"SELECT id FROM pipeline_runs WHERE project_id = ? AND state IN ('running', 'stopping') LIMIT 1",
     "its pipeline run {} is not over; stop it first"},
    {"SELECT id FROM evaluations WHERE project_id = ? AND state = 'running' LIMIT 1",
     "its evaluation {} is not over; wait for it, or stop its run"},
    {"SELECT name FROM deployments WHERE project_id = ? AND deleted_at IS NULL ORDER BY name LIMIT 1",
     "it has the deployment '{}', which clients may be asking; remove it first (`slipway deployments delete`)"},
};

/// What other projects made of what this one holds.
constexpr const char* kNeeded =
    "SELECT m.name FROM model_versions v JOIN models m ON m.number = v.model WHERE m.project_id <> ? AND m.deleted_at IS NULL AND "
    "v.deleted_at IS NULL AND (v.run_id IN (SELECT id FROM runs WHERE project_id = ?) OR v.logged_model_id IN (SELECT id FROM "
    "logged_models WHERE project_id = ?)) LIMIT 1";

Result<std::string> name_of(Connection& c, const ProjectId& project) {
  return TRY(c.first("SELECT name FROM projects WHERE id = ?", {project.text}, text_of)).value_or(project.text);
}

/// Always an error.
Result<void> refuse(Connection& c, const ProjectId& project, const std::string& why) {
  const std::string name = TRY(name_of(c, project));
  return Error{ErrorCode::failed_precondition, fmt::format("Cannot delete workspace '{}': {}", name, why)};
}

Result<void> check_at_rest(Connection& c, const ProjectId& project) {
  for (const Check& check : kAtWork) {
    const auto found = TRY(c.first(check.sql, {project.text}, text_of));
    if (found) return refuse(c, project, fmt::format(fmt::runtime(check.sentence), *found));
  }
  return {};
}

// --- erasing -------------------------------------------------------------------------------------------------------

/// Some rows of one table, with what belongs to them. How many.
Result<std::int64_t> erase_rows(Connection& c, const ProjectTable& table, const ProjectId& project) {
  const std::int64_t most = table.belongings.empty() ? kProjectRowsAtOnce : kProjectThingsAtOnce;
  const auto keys =
      TRY(c.rows(fmt::format("SELECT DISTINCT {} FROM {} WHERE project_id = ? LIMIT {}", table.key, table.name, most),
                 {project.text}, [&](const Row& row) -> catalog::Value {
                   if (table.key == "number") return row.integer(0);
                   return std::string(row.text(0));
                 }));
  for (const catalog::Value& key : keys) {
    for (const auto& [name, column] : table.belongings)
      TRY(c.run(fmt::format("DELETE FROM {} WHERE {} = ?", name, column), {key}));
    TRY(c.run(fmt::format("DELETE FROM {} WHERE project_id = ? AND {} = ?", table.name, table.key),
              {project.text, key}));
  }
  return static_cast<std::int64_t>(keys.size());
}

/// What has no key worth going by, or few rows: all at once.
constexpr std::array<std::string_view, 9> kWhole{"blob_holds",        "drift_references", "idempotency_keys",
                                                 "lineage",           "node_results",     "pipeline_definitions",
                                                 "pipeline_triggers", "retention_rules",  "traffic_minutes"};

Result<bool> erase_some_of(Connection& c, const ProjectId& project, Time now) {
  if (TRY(tracking::begin_erasures_of_project(c, project, now, kProjectRunsAtOnce)) > 0) return true;
  for (const ProjectTable& table : project_tables()) {
    if (TRY(erase_rows(c, table, project)) > 0) return true;
  }
  for (const std::string_view table : kWhole)
    TRY(c.run(fmt::format("DELETE FROM {} WHERE project_id = ?", table), {project.text}));
  return false;
}

// --- moving --------------------------------------------------------------------------------------------------------

struct Named {
  const char* table;
  const char* name;       // a column or expression that both may have
  const char* condition;  // of rows that count
};

constexpr const char* kIsEmptyDefault =
    "{0}.name = 'Default' AND NOT EXISTS (SELECT 1 FROM runs WHERE experiment = {0}.number) AND NOT EXISTS (SELECT 1 FROM "
    "logged_models WHERE experiment = {0}.number) AND NOT EXISTS (SELECT 1 FROM traces WHERE experiment = {0}.number) AND NOT "
    "EXISTS (SELECT 1 FROM scorers WHERE experiment = {0}.number)";

constexpr Named kNamed[] = {
    {"models", "name", "a.deleted_at IS NULL AND b.deleted_at IS NULL"},
    {"datasets", "name", "a.deleted_at IS NULL AND b.deleted_at IS NULL"},
    {"pipeline_definitions", "pipeline", "1 = 1"},
    {"traces", "id", "1 = 1"},
    {"views", "name", "a.page = b.page"},
};

Result<void> check_names(Connection& c, const ProjectId& from, const ProjectId& to) {
  std::vector<std::string> both;
  const auto add = [&](const char* table, const char* column, const std::string& condition) -> Result<void> {
    const std::string sql = fmt::format(
        "SELECT a.{1} FROM {0} a JOIN {0} b ON b.{1} = a.{1} WHERE a.project_id = ? AND b.project_id = ? AND {2} "
        "ORDER BY a.{1} LIMIT {3}",
        table, column, condition, kConflictsNamedMax);
    for (const std::string& one : TRY(c.rows(sql, {from.text, to.text}, text_of)))
      both.push_back(fmt::format("{}: '{}'", table, clean_utf8(one, 200)));
    return {};
  };
  TRY(add("experiments", "name", "NOT (" + fmt::format(fmt::runtime(kIsEmptyDefault), "a") + ")"));
  for (const Named& named : kNamed) TRY(add(named.table, named.name, named.condition));
  if (both.empty()) return {};
  if (both.size() > kConflictsNamedMax) both.resize(kConflictsNamedMax);
  return refuse(c, from,
                fmt::format("what it holds cannot become that of '{}', because both have {}; rename or remove one "
                            "of each first",
                            TRY(name_of(c, to)), join(both, ", ")));
}

/// Kept results and counts of which the other project has its own.
constexpr const char* kDropped[] = {
    "DELETE FROM node_results WHERE project_id = ? AND cache_key IN (SELECT cache_key FROM node_results WHERE project_id = ?)",
    "DELETE FROM drift_references WHERE project_id = ? AND EXISTS (SELECT 1 FROM drift_references b WHERE b.project_id = ? AND "
    "b.model = drift_references.model AND b.version = drift_references.version AND b.statistic = drift_references.statistic)",
    "DELETE FROM traffic_minutes WHERE project_id = ? AND EXISTS (SELECT 1 FROM traffic_minutes b WHERE b.project_id = ? AND "
    "b.deployment = traffic_minutes.deployment AND b.minute = traffic_minutes.minute)",
};

}  // namespace

const std::vector<ProjectTable>& project_tables() {
  static const std::vector<ProjectTable> tables{
      {"models",
       "number",
       {{"model_tags", "model"},
        {"model_version_tags", "model"},
        {"model_aliases", "model"},
        {"model_alias_moves", "model"},
        {"model_versions", "model"}}},
      {"datasets",
       "number",
       {{"dataset_tags", "dataset"},
        {"dataset_branches", "dataset"},
        {"dataset_branch_moves", "dataset"},
        {"dataset_commits", "dataset"}}},
      {"evaluation_datasets",
       "number",
       {{"evaluation_dataset_tags", "dataset"},
        {"evaluation_dataset_experiments", "dataset"},
        {"evaluation_records", "dataset"}}},
      {"deployments", "id", {{"deployment_revisions", "deployment_id"}}},
      {"pipeline_runs", "id", {{"pipeline_nodes", "pipeline_run_id"}, {"pipeline_run_causes", "pipeline_run_id"}}},
      {"executions",
       "run_id",
       {{"attempts", "run_id"}, {"run_logs", "run_id"}, {"run_documents", "run_id"}, {"run_outputs", "run_id"}}},
      {"webhooks", "id", {{"webhook_events", "webhook_id"}, {"webhook_deliveries", "webhook_id"}}},
      {"reports", "id", {{"report_revisions", "report_id"}}},
      {"evaluations", "id", {}},
      {"cases", "id", {}},
      {"findings", "id", {}},
      {"views", "id", {}},
      {"uploads", "id", {}},
      {"artifacts", "hash", {}},
      {"metric_names", "number", {}},
  };
  return tables;
}

Result<void> begin_project_erasure(Connection& c, const ProjectId& project, Time now) {
  TRY(check_at_rest(c, project));
  const auto needed = TRY(c.first(kNeeded, {project.text, project.text, project.text}, text_of));
  if (needed)
    return refuse(c, project,
                  fmt::format("the model '{}' of another project was made of what it holds; remove it first", *needed));
  TRY(c.run("INSERT INTO project_erasures (project_id, begun_at) VALUES (?, ?)", {project.text, now.micros}));
  return {};
}

Result<bool> erase_some_of_projects(Connection& c, Time now) {
  const auto project = TRY(c.first("SELECT project_id FROM project_erasures ORDER BY begun_at, project_id LIMIT 1", {},
                                   [](const Row& row) { return ProjectId(row.text(0)); }));
  if (!project) return false;
  if (TRY(erase_some_of(c, *project, now))) return true;
  for (const char* waiting : {"run_erasures", "experiment_erasures"}) {
    const std::string sql = fmt::format("SELECT 1 FROM {} WHERE project_id = ? LIMIT 1", waiting);
    if (TRY(c.first(sql, {project->text}, [](const Row&) { return true; }))) return true;
  }
  TRY(c.run("DELETE FROM project_erasures WHERE project_id = ?", {project->text}));
  return true;
}

Result<void> move_project(Connection& c, const ProjectId& from, const ProjectId& to) {
  TRY(check_at_rest(c, from));
  TRY(check_names(c, from, to));
  TRY(tracking::move_metrics(c, from, to));
  for (const char* sql : kDropped) TRY(c.run(sql, {from.text, to.text}));
  TRY(c.run("UPDATE executions SET request_key = NULL WHERE project_id = ?", {from.text}));
  for (const char* table :
       {"runs", "logged_models", "traces", "run_erasures", "experiment_erasures", "blob_holds", "drift_references",
        "lineage", "node_results", "pipeline_definitions", "pipeline_triggers", "traffic_minutes"})
    TRY(c.run(fmt::format("UPDATE {} SET project_id = ? WHERE project_id = ?", table), {to.text, from.text}));
  TRY(c.run(fmt::format("UPDATE experiments SET project_id = ? WHERE project_id = ? AND NOT ({})",
                        fmt::format(fmt::runtime(kIsEmptyDefault), "experiments")),
            {to.text, from.text}));
  for (const ProjectTable& table : project_tables()) {
    if (table.name == "metric_names") continue;  // move_metrics() did
    TRY(c.run(fmt::format("UPDATE {} SET project_id = ? WHERE project_id = ?", table.name), {to.text, from.text}));
  }
  return {};
}

}  // namespace slipway::retention

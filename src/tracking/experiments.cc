#include "tracking/experiments.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "tracking/run_rows.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;

namespace {

Experiment make_experiment(const catalog::Row& row) {
  Experiment out;
  out.number = row.integer(0);
  out.id = ExperimentId(row.text(1));
  out.project = ProjectId(row.text(2));
  out.name = row.text(3);
  out.artifact_location = row.text(4);
  out.deleted = row.integer(5) != 0;
  out.created_at = {row.integer(6)};
  out.updated_at = {row.integer(7)};
  return out;
}

Error no_experiment(const ExperimentId& id) {
  return {ErrorCode::not_found, fmt::format("No Experiment with id={} exists", clean_utf8(id.text, 300))};
}

Result<void> check_active(const Experiment& experiment) {
  if (!experiment.deleted) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", experiment.id.text)};
}

/// What is being removed for good does not come back.
Result<void> check_not_erased(Connection& connection, const Experiment& experiment) {
  const auto found = TRY(connection.first("SELECT 1 FROM experiment_erasures WHERE number = ?", {experiment.number},
                                          [](const catalog::Row&) { return true; }));
  if (!found) return {};
  return Error{ErrorCode::failed_precondition,
               fmt::format("the experiment '{}' is being removed for good; it cannot be restored", experiment.name)};
}

// A queued run has no time yet; a client's run without an end has none that is known.
constexpr std::string_view kTimes =
    "SELECT e.id, e.name, COUNT(*), CAST(COALESCE(SUM(CASE WHEN r.state IN ('running', 'stopping') THEN 1 ELSE 0 END), 0) AS BIGINT), "
    "CAST(COALESCE(SUM(CASE WHEN r.state IN ('queued', 'scheduled') THEN 0 WHEN r.ended_at IS NOT NULL THEN r.ended_at - r.started_at "
    "WHEN r.source_kind = 'step' THEN ? - r.started_at ELSE 0 END), 0) AS BIGINT) AS micros "
    "FROM runs r JOIN experiments e ON e.number = r.experiment WHERE r.project_id = ? AND r.deleted = 0 AND e.deleted = 0 "
    "GROUP BY e.id, e.name ORDER BY micros DESC, e.name LIMIT ?";

}  // namespace

Result<std::vector<Experiment>> read_experiments(Connection& connection, std::string_view where_and_order,
                                                 const catalog::Values& values) {
  const std::string sql =
      "SELECT number, id, project_id, name, artifact_location, deleted, created_at, updated_at FROM experiments e " +
      std::string(where_and_order);
  auto out = TRY(connection.rows(sql, values, make_experiment));
  for (Experiment& experiment : out) {
    experiment.tags = TRY(read_pairs(
        connection, "SELECT key, value FROM experiment_tags WHERE experiment = ? ORDER BY key", experiment.number));
  }
  return out;
}

Result<Experiment> read_experiment(Connection& connection, const ProjectId& project, const ExperimentId& id) {
  auto found = TRY(read_experiments(connection, "WHERE id = ? AND project_id = ?", {id.text, project.text}));
  if (found.empty() && id.text == kDefaultExperimentId) {
    found = TRY(read_experiments(connection, "WHERE project_id = ? AND name = ?",
                                 {project.text, std::string(kDefaultExperimentName)}));
  }
  if (found.empty()) return no_experiment(id);
  return std::move(found[0]);
}

Result<Experiment> Experiments::create(const ProjectId& project, const std::string& name,
                                       const std::string& artifact_location, const KeyValues& tags) {
  const ExperimentId id = new_id<ExperimentId>(clock_);
  const Time now = clock_.now();
  const std::string location =
      artifact_location.empty() ? fmt::format("{}/{}", artifact_root_, id.text) : artifact_location;
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<Experiment> {
    const auto number = TRY(
        connection.first("INSERT INTO experiments (id, project_id, name, artifact_location, created_at, updated_at) "
                         "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, name) DO NOTHING RETURNING number",
                         {id.text, project.text, name, location, now.micros, now.micros},
                         [](const catalog::Row& row) { return row.integer(0); }));
    if (!number) {
      return Error{
          ErrorCode::already_exists,
          fmt::format("Experiment '{}' already exists (possibly deleted). Restore it, or choose another name.", name)};
    }
    for (const auto& [key, value] : tags) {
      TRY(
          connection.run("INSERT INTO experiment_tags (experiment, key, value) VALUES (?, ?, ?) "
                         "ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value",
                         {*number, key, value}));
    }
    return read_experiment(connection, project, id);
  });
}

Result<Experiment> Experiments::find_or_create(const ProjectId& project, const std::string& name) {
  auto found = find(project, name);
  if (!found.ok() && found.error().code == ErrorCode::not_found) {
    auto made = create(project, name, "", {});
    if (made.ok() || made.error().code != ErrorCode::already_exists) return made;
    found = find(project, name);
  }
  if (found.ok() && found->deleted) {
    return Error{ErrorCode::failed_precondition,
                 fmt::format("experiment '{}' is deleted; restore it or choose another name", name)};
  }
  return found;
}

Result<Experiment> Experiments::get(const ProjectId& project, const ExperimentId& id) {
  auto found = database_.read_value([&](Connection& connection) { return read_experiment(connection, project, id); });
  const bool is_missing = !found.ok() && found.error().code == ErrorCode::not_found;
  if (is_missing && id.text == kDefaultExperimentId)
    return find_or_create(project, std::string(kDefaultExperimentName));
  return found;
}

Result<Experiment> Experiments::find(const ProjectId& project, const std::string& name) {
  return database_.read_value([&](Connection& connection) -> Result<Experiment> {
    auto found = TRY(read_experiments(connection, "WHERE project_id = ? AND name = ?", {project.text, name}));
    if (found.empty())
      return Error{ErrorCode::not_found,
                   fmt::format("Could not find experiment with name '{}'", clean_utf8(name, 500))};
    return std::move(found[0]);
  });
}

Result<void> Experiments::rename(const ProjectId& project, const ExperimentId& id, const std::string& name) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const Experiment experiment = TRY(read_experiment(connection, project, id));
    if (experiment.deleted) return Error{ErrorCode::failed_precondition, "Cannot rename a non-active experiment."};
    const auto changed = connection.run("UPDATE experiments SET name = ?, updated_at = ? WHERE number = ?",
                                        {name, clock_.now().micros, experiment.number});
    if (!changed.ok() && changed.error().code == ErrorCode::already_exists) {
      return Error{ErrorCode::already_exists, fmt::format("Experiment '{}' already exists (possibly deleted).", name)};
    }
    if (!changed.ok()) return changed.error();
    return {};
  });
}

Result<void> Experiments::remove(const ProjectId& project, const ExperimentId& id) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const Experiment experiment = TRY(read_experiment(connection, project, id));
    if (experiment.deleted) return no_experiment(id);
    const std::int64_t now = clock_.now().micros;
    TRY(connection.run("UPDATE experiments SET deleted = 1, updated_at = ? WHERE number = ?",
                       {now, experiment.number}));
    TRY(connection.run("UPDATE runs SET deleted = 1, deleted_at = ? WHERE experiment = ? AND deleted = 0",
                       {now, experiment.number}));
    return {};
  });
}

Result<void> Experiments::restore(const ProjectId& project, const ExperimentId& id) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const Experiment experiment = TRY(read_experiment(connection, project, id));
    if (!experiment.deleted) return no_experiment(id);
    TRY(check_not_erased(connection, experiment));
    TRY(connection.run("UPDATE experiments SET deleted = 0, updated_at = ? WHERE number = ?",
                       {clock_.now().micros, experiment.number}));
    TRY(connection.run("UPDATE runs SET deleted = 0, deleted_at = NULL WHERE experiment = ?", {experiment.number}));
    return {};
  });
}

Result<void> Experiments::set_tag(const ProjectId& project, const ExperimentId& id, const std::string& key,
                                  const std::string& value) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const Experiment experiment = TRY(read_experiment(connection, project, id));
    TRY(check_active(experiment));
    TRY(
        connection.run("INSERT INTO experiment_tags (experiment, key, value) VALUES (?, ?, ?) "
                       "ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value",
                       {experiment.number, key, value}));
    TRY(connection.run("UPDATE experiments SET updated_at = ? WHERE number = ?",
                       {clock_.now().micros, experiment.number}));
    return {};
  });
}

Result<void> Experiments::delete_tag(const ProjectId& project, const ExperimentId& id, const std::string& key) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const Experiment experiment = TRY(read_experiment(connection, project, id));
    TRY(check_active(experiment));
    const auto gone =
        TRY(connection.run("DELETE FROM experiment_tags WHERE experiment = ? AND key = ?", {experiment.number, key}));
    if (gone == 0) {
      return Error{ErrorCode::not_found,
                   fmt::format("No tag with name: {} in experiment with id {}", clean_utf8(key, 300), id.text)};
    }
    return {};
  });
}

Result<void> Experiments::date_default() {
  return database_.write(Durability::stream, [now = clock_.now().micros](Connection& connection) -> Result<void> {
    TRY(connection.run("UPDATE experiments SET created_at = ?, updated_at = ? WHERE id = '0' AND created_at = 0",
                       {now, now}));
    return {};
  });
}

Result<std::int64_t> Experiments::run_count(const Experiment& experiment) {
  return database_.read_value([&](Connection& connection) -> Result<std::int64_t> {
    return TRY(connection.first("SELECT COUNT(*) FROM runs WHERE experiment = ? AND deleted = 0", {experiment.number},
                                [](const catalog::Row& row) { return row.integer(0); }))
        .value_or(0);
  });
}

Result<std::vector<ExperimentTime>> Experiments::times(const ProjectId& project, size_t most) {
  return database_.read_value([&](Connection& connection) {
    return connection.rows(kTimes, {clock_.now().micros, project.text, static_cast<std::int64_t>(most)},
                           [](const catalog::Row& row) {
                             return ExperimentTime{ExperimentId(row.text(0)), std::string(row.text(1)), row.integer(2),
                                                   row.integer(3), Duration(row.integer(4))};
                           });
  });
}

}  // namespace slipway::tracking

#include "tracking/imports.h"

#include <fmt/format.h>

#include "tracking/erasure.h"
#include "tracking/experiments.h"
#include "tracking/run_rows.h"
#include "tracking/runs.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;

namespace {

/// The row of an id, wherever it is.
struct Found {
  std::int64_t number = 0;
  std::int64_t experiment = 0;
  bool is_step = false;
};

Result<Experiment> active_experiment(Connection& connection, const ProjectId& project, const ExperimentId& id) {
  Experiment experiment = TRY(read_experiment(connection, project, id));
  if (!experiment.deleted) return experiment;
  return Error{ErrorCode::failed_precondition,
               fmt::format("experiment '{}' is deleted here; restore it, then import again", experiment.name)};
}

Error elsewhere(std::string_view what, std::string_view id) {
  return {ErrorCode::already_exists, fmt::format("{} {} exists in another project; an id is used once", what, id)};
}

catalog::Value time_or_null(const std::optional<Time>& time) {
  return time ? catalog::Value(time->micros) : catalog::Value(nullptr);
}

Result<std::optional<Found>> find_run(Connection& connection, const ProjectId& project, const RunId& id) {
  std::string owner;
  auto found = TRY(connection.first("SELECT number, experiment, source_kind, project_id FROM runs WHERE id = ?",
                                    {id.text}, [&](const catalog::Row& row) {
                                      owner = row.text(3);
                                      return Found{row.integer(0), row.integer(1), row.text(2) == "step"};
                                    }));
  if (found && owner != project.text) return elsewhere("run", id.text);
  if (found && found->is_step)
    return Error{ErrorCode::failed_precondition,
                 fmt::format("run {} is executed by Slipway itself; an import does not change it", id.text)};
  return found;
}

Result<Found> insert_run(Connection& connection, const ProjectId& project, const ImportedRun& run, Time now) {
  TRY(check_not_erased(connection, run.id));
  const Experiment experiment = TRY(active_experiment(connection, project, run.experiment));
  const auto number = TRY(connection.first(
      "INSERT INTO runs (id, project_id, experiment, name, state, user_name, source_kind, source, artifact_uri, "
      "created_at, updated_at, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, 'client', '{}', ?, ?, ?, ?, ?) "
      "RETURNING number",
      {run.id.text, project.text, experiment.number, run.name, std::string(slipway::name(run.state)), run.user_name,
       fmt::format("{}/{}/artifacts", experiment.artifact_location, run.id.text), now.micros, now.micros,
       run.started_at.micros, time_or_null(run.ended_at)},
      [](const catalog::Row& row) { return row.integer(0); }));
  return Found{number.value_or(0), experiment.number, false};
}

Result<void> update_run(Connection& connection, std::int64_t number, const ImportedRun& run, Time now) {
  TRY(connection.run(
      "UPDATE runs SET name = ?, state = ?, started_at = ?, ended_at = ?, updated_at = ? WHERE number = ?",
      {run.name, std::string(slipway::name(run.state)), run.started_at.micros, time_or_null(run.ended_at), now.micros,
       number}));
  if (!run.user_name.empty())
    TRY(connection.run("UPDATE runs SET user_name = ? WHERE number = ?", {run.user_name, number}));
  return {};
}

Result<void> set_deleted(Connection& connection, std::int64_t number, bool deleted, Time now) {
  TRY(connection.run("UPDATE runs SET deleted = ?, deleted_at = ? WHERE number = ? AND deleted <> ?",
                     {std::int64_t{deleted}, time_or_null(deleted ? std::optional(now) : std::nullopt), number,
                      std::int64_t{deleted}}));
  return {};
}

/// What the other server says counts: its clients cannot change a parameter, so a difference is a repair.
Result<void> put_params(Connection& connection, std::int64_t number, const KeyValues& params) {
  for (const auto& [key, value] : params) {
    TRY(connection.run(
        "INSERT INTO run_params (run, key, value) VALUES (?, ?, ?) ON CONFLICT (run, key) DO UPDATE SET value = "
        "excluded.value",
        {number, key, value}));
  }
  return {};
}

std::string stored_status(LoggedModelStatus status) {
  if (status == LoggedModelStatus::ready) return "ready";
  return status == LoggedModelStatus::upload_failed ? "upload_failed" : "pending";
}

Result<std::int64_t> insert_model(Connection& connection, const ProjectId& project, const ImportedLoggedModel& model,
                                  Time now) {
  const Experiment experiment = TRY(active_experiment(connection, project, model.experiment));
  const auto number = TRY(connection.first(
      "INSERT INTO logged_models (id, project_id, experiment, name, model_type, status, source_run_id, artifact_uri, "
      "created_at, updated_at) VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?) RETURNING number",
      {model.id.text, project.text, experiment.number, model.name, model.model_type,
       model.source_run ? catalog::Value(model.source_run->text) : catalog::Value(nullptr),
       fmt::format("{}/models/{}/artifacts", experiment.artifact_location, model.id.text), model.created_at.micros,
       now.micros},
      [](const catalog::Row& row) { return row.integer(0); }));
  return number.value_or(0);
}

Result<void> put_model_pairs(Connection& connection, const char* table, std::int64_t model, const KeyValues& pairs) {
  const std::string sql = fmt::format(
      "INSERT INTO {} (model, key, value) VALUES (?, ?, ?) ON CONFLICT (model, key) DO UPDATE SET value = "
      "excluded.value",
      table);
  for (const auto& [key, value] : pairs) TRY(connection.run(sql, {model, key, value}));
  return {};
}

}  // namespace

Result<bool> Imports::put_run(const ProjectId& project, const ImportedRun& run) {
  const Time now = clock_.now();
  auto is_new = database_.write_value(Durability::record, [&](Connection& connection) -> Result<bool> {
    const auto known = TRY(find_run(connection, project, run.id));
    Found row;
    if (known) {
      row = *known;
      TRY(update_run(connection, row.number, run, now));
    } else {
      row = TRY(insert_run(connection, project, run, now));
    }
    TRY(put_params(connection, row.number, run.params));
    const RunRow place{run.id, row.number, row.experiment, false, false};
    TRY(tracking::set_tags(connection, place, {{kRunNameTag, run.name}}, now));
    TRY(tracking::set_tags(connection, place, run.tags, now));
    TRY(set_deleted(connection, row.number, run.deleted, now));
    return !known;
  });
  if (is_new.ok() && events_) events_->emit({EventKind::run_changed, project, run.id.text});
  return is_new;
}

Result<bool> Imports::put_logged_model(const ProjectId& project, const ImportedLoggedModel& model) {
  const Time now = clock_.now();
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<bool> {
    std::string owner;
    const auto known = TRY(connection.first("SELECT number, project_id FROM logged_models WHERE id = ?",
                                            {model.id.text}, [&](const catalog::Row& row) {
                                              owner = row.text(1);
                                              return row.integer(0);
                                            }));
    if (known && owner != project.text) return elsewhere("logged model", model.id.text);
    std::int64_t number = 0;
    if (known) {
      number = *known;
    } else {
      number = TRY(insert_model(connection, project, model, now));
    }
    TRY(connection.run("UPDATE logged_models SET name = ?, status = ?, deleted = 0 WHERE number = ?",
                       {model.name, stored_status(model.status), number}));
    if (!model.model_type.empty())
      TRY(connection.run("UPDATE logged_models SET model_type = ? WHERE number = ?", {model.model_type, number}));
    TRY(put_model_pairs(connection, "logged_model_params", number, model.params));
    TRY(put_model_pairs(connection, "logged_model_tags", number, model.tags));
    for (const LoggedModelMetric& metric : model.metrics) {
      TRY(set_model_metric(connection, project, RunId(metric.run_id),
                           {model.id.text, metric.key, metric.dataset_name, metric.dataset_digest, metric.value,
                            metric.step, metric.at_ms}));
    }
    return !known;
  });
}

}  // namespace slipway::tracking

#include "tracking/runs.h"

#include <fmt/format.h>

#include <array>

#include "base/ids.h"
#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/resumes.h"
#include "tracking/run_rows.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;

namespace {

constexpr std::array kAdjectives{"able",  "amber",  "bold",   "brave",  "bright", "calm",  "clear", "clever",
                                 "crisp", "deep",   "eager",  "fair",   "fast",   "fleet", "fond",  "free",
                                 "fresh", "gentle", "glad",   "golden", "grand",  "happy", "keen",  "kind",
                                 "light", "lucky",  "mellow", "merry",  "neat",   "noble", "quick", "quiet",
                                 "rapid", "ready",  "silver", "steady", "sturdy", "swift", "true",  "warm"};
constexpr std::array kNouns{"anchor",  "barge",   "beacon", "bow",      "brig",  "buoy",  "canoe",   "clipper",
                            "compass", "cutter",  "deck",   "dinghy",   "dock",  "ferry", "frigate", "galley",
                            "gull",    "harbor",  "heron",  "hull",     "jetty", "kayak", "keel",    "ketch",
                            "lagoon",  "lantern", "mast",   "oar",      "otter", "pier",  "pilot",   "quay",
                            "raft",    "rudder",  "sail",   "schooner", "seal",  "sloop", "tide",    "whale"};

std::string_view kind_name(SourceKind kind) { return kind == SourceKind::step ? "step" : "client"; }

Result<void> insert_models(Connection& connection, const RunRow& run, const ProjectId& project, const char* direction,
                           const std::vector<RunModel>& models) {
  for (const RunModel& model : models) {
    const auto found = TRY(connection.first("SELECT 1 FROM logged_models WHERE id = ? AND project_id = ?",
                                            {model.model_id, project.text}, [](const catalog::Row&) { return true; }));
    if (!found)
      return Error{ErrorCode::not_found,
                   fmt::format("Logged model with ID '{}' not found.", clean_utf8(model.model_id, 300))};
    TRY(
        connection.run("INSERT INTO run_models (run, direction, model_id, step) VALUES (?, ?, ?, ?) "
                       "ON CONFLICT (run, direction, model_id) DO UPDATE SET step = excluded.step",
                       {run.number, std::string(direction), model.model_id, model.step}));
  }
  return {};
}

Json tags_json(const KeyValues& tags) {
  Json::Array out;
  for (const auto& [key, value] : tags) out.push_back(Json(Json::Object{}).set("key", key).set("value", value));
  return Json(std::move(out));
}

catalog::Value maybe(const std::optional<std::string>& text) {
  return text ? catalog::Value(*text) : catalog::Value(nullptr);
}

}  // namespace

std::string random_run_name() {
  const std::uint64_t random = random_u64();
  return fmt::format("{}-{}-{}", kAdjectives[random % kAdjectives.size()], kNouns[(random >> 16) % kNouns.size()],
                     (random >> 32) % 1000);
}

Result<Run> Runs::create(const NewRun& request) {
  const RunId id = request.id.value_or(new_run_id(clock_));
  const Time now = clock_.now();
  const std::string name = request.name.empty() ? random_run_name() : request.name;
  auto made = database_.write_value(Durability::record, [&](Connection& connection) -> Result<Run> {
    const Experiment experiment = TRY(read_experiment(connection, request.project, request.experiment));
    if (experiment.deleted) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.",
                               experiment.id.text)};
    }
    const auto number = TRY(connection.first(
        "INSERT INTO runs (id, project_id, experiment, name, state, member_id, user_name, source_kind, source, artifact_uri, created_at, "
        "updated_at, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
        {id.text, request.project.text, experiment.number, name, std::string(slipway::name(request.state)),
         request.member ? catalog::Value(request.member->text) : catalog::Value(nullptr), request.user_name,
         std::string(kind_name(request.source_kind)), request.source,
         fmt::format("{}/{}/artifacts", experiment.artifact_location, id.text), now.micros, now.micros,
         request.started_at.value_or(now).micros},
        [](const catalog::Row& row) { return row.integer(0); }));
    const RunRow row{id, number.value_or(0), experiment.number, false, request.source_kind == SourceKind::step};
    TRY(insert_params(connection, row, request.params));
    TRY(tracking::set_tags(connection, row, {{kRunNameTag, name}}, now));
    TRY(tracking::set_tags(connection, row, request.tags, now));
    auto runs = TRY(read_runs(connection, metrics_, std::array{row.number}, {.metrics = false}));
    return std::move(runs.at(0));
  });
  if (made.ok() && events_) events_->emit({EventKind::run_changed, request.project, id.text});
  return made;
}

Result<Run> Runs::get(const ProjectId& project, const RunId& run) {
  return database_.read_value([&](Connection& connection) -> Result<Run> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    auto runs = TRY(read_runs(connection, metrics_, std::array{row.number}, {}));
    return std::move(runs.at(0));
  });
}

Result<void> Runs::change(const ProjectId& project, const RunId& run,
                          const std::function<Result<void>(Connection&, Time)>& body) {
  const Time now = clock_.now();
  auto result = database_.write(Durability::record,
                                catalog::Write([&](Connection& connection) { return body(connection, now); }));
  if (result.ok() && events_) events_->emit({EventKind::run_changed, project, run.text});
  return result;
}

Result<void> Runs::update(const ProjectId& project, const RunId& run, const RunUpdate& update) {
  return change(project, run, [&](Connection& connection, Time now) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(check_active(row));
    const bool obeyed = !(update.by_client && row.is_step);
    if (!obeyed && update.state)
      TRY(tracking::set_tags(connection, row, {{"slipway.client_state", std::string(mlflow_name(*update.state))}},
                             now));
    if (update.name && !update.name->empty())
      TRY(tracking::set_tags(connection, row, {{kRunNameTag, *update.name}}, now));
    if (update.state && obeyed) {
      TRY(connection.run("UPDATE runs SET state = ? WHERE number = ?",
                         {std::string(slipway::name(*update.state)), row.number}));
      // A resumed run is not over any more. A client that begins says so once, with its create.
      if (!is_over(*update.state))
        TRY(connection.run("UPDATE runs SET ended_at = NULL WHERE number = ?", {row.number}));
      if (update.by_client && *update.state == RunState::running) TRY(note_resume(connection, run, now));
    }
    if (update.started_at && obeyed)
      TRY(connection.run("UPDATE runs SET started_at = ? WHERE number = ?", {update.started_at->micros, row.number}));
    if (update.ended_at && obeyed)
      TRY(connection.run("UPDATE runs SET ended_at = ? WHERE number = ?", {update.ended_at->micros, row.number}));
    if (update.source) TRY(connection.run("UPDATE runs SET source = ? WHERE number = ?", {*update.source, row.number}));
    TRY(connection.run("UPDATE runs SET updated_at = ? WHERE number = ?", {now.micros, row.number}));
    return {};
  });
}

Result<void> Runs::remove(const ProjectId& project, const RunId& run) {
  return change(project, run, [&](Connection& connection, Time now) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(connection.run("UPDATE runs SET deleted = 1, deleted_at = ?, updated_at = ? WHERE number = ?",
                       {now.micros, now.micros, row.number}));
    return {};
  });
}

Result<void> Runs::restore(const ProjectId& project, const RunId& run) {
  return change(project, run, [&](Connection& connection, Time now) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(connection.run("UPDATE runs SET deleted = 0, deleted_at = NULL, updated_at = ? WHERE number = ?",
                       {now.micros, row.number}));
    return {};
  });
}

Result<void> Runs::log_params(const ProjectId& project, const RunId& run, const KeyValues& params) {
  return change(project, run, [&](Connection& connection, Time) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(check_active(row));
    return insert_params(connection, row, params);
  });
}

Result<void> Runs::set_tags(const ProjectId& project, const RunId& run, const KeyValues& tags) {
  return change(project, run, [&](Connection& connection, Time now) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(check_active(row));
    return tracking::set_tags(connection, row, tags, now);
  });
}

Result<void> Runs::delete_tag(const ProjectId& project, const RunId& run, const std::string& key) {
  return change(project, run, [&](Connection& connection, Time) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(check_active(row));
    const auto gone = TRY(connection.run("DELETE FROM run_tags WHERE run = ? AND key = ?", {row.number, key}));
    if (gone == 0)
      return Error{ErrorCode::not_found,
                   fmt::format("No tag with name: {} in run with id {}", clean_utf8(key, 300), run.text)};
    return {};
  });
}

Result<void> Runs::log_inputs(const ProjectId& project, const RunId& run, const std::vector<InputDataset>& datasets,
                              const std::vector<RunModel>& models) {
  return change(project, run, [&](Connection& connection, Time) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(check_active(row));
    for (const InputDataset& dataset : datasets) {
      TRY(connection.run(
          "INSERT INTO input_datasets (experiment, name, digest, source_type, source, dataset_schema, profile) "
          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (experiment, name, digest) DO NOTHING",
          {row.experiment, dataset.name, dataset.digest, dataset.source_type, dataset.source, maybe(dataset.schema),
           maybe(dataset.profile)}));
      const auto number = TRY(connection.first(
          "SELECT number FROM input_datasets WHERE experiment = ? AND name = ? AND digest = ?",
          {row.experiment, dataset.name, dataset.digest}, [](const catalog::Row& r) { return r.integer(0); }));
      std::optional<std::string> role;
      for (const auto& [key, value] : dataset.tags) {
        if (key == "mlflow.data.context") role = value;
      }
      TRY(connection.run(
          "INSERT INTO run_datasets (run, dataset, context, tags) VALUES (?, ?, ?, ?) ON CONFLICT (run, dataset) DO NOTHING",
          {row.number, number.value_or(0), maybe(role), tags_json(dataset.tags).render()}));
    }
    return insert_models(connection, row, project, "input", models);
  });
}

Result<void> Runs::log_outputs(const ProjectId& project, const RunId& run, const std::vector<RunModel>& models) {
  return change(project, run, [&](Connection& connection, Time) -> Result<void> {
    const RunRow row = TRY(find_run_row(connection, project, run));
    TRY(check_active(row));
    return insert_models(connection, row, project, "output", models);
  });
}

Result<RunInputs> Runs::inputs(const ProjectId& project, const RunId& run) {
  return database_.read_value([&](Connection& connection) -> Result<RunInputs> {
    auto inputs = TRY(read_inputs(connection, std::array{TRY(find_run_row(connection, project, run)).number}));
    return std::move(inputs.at(0));
  });
}

Result<std::vector<RunInputs>> Runs::inputs(std::span<const Run> runs) {
  std::vector<std::int64_t> numbers;
  for (const Run& run : runs) numbers.push_back(run.number);
  return database_.read_value([&](Connection& connection) { return read_inputs(connection, numbers); });
}

Result<ProjectId> Runs::project_of(const RunId& run) {
  return database_.read_value([&](Connection& connection) -> Result<ProjectId> {
    const auto found = TRY(connection.first("SELECT project_id FROM runs WHERE id = ?", {run.text},
                                            [](const catalog::Row& row) { return ProjectId(row.text(0)); }));
    if (!found) return Error{ErrorCode::not_found, fmt::format("Run with id={} not found", clean_utf8(run.text, 300))};
    return *found;
  });
}

}  // namespace slipway::tracking

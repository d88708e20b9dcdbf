#include "tracking/run_rows.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::tracking {

Result<RunRow> find_run_row(catalog::Connection& connection, const ProjectId& project, const RunId& run) {
  const auto found = TRY(
      connection.first("SELECT number, experiment, deleted, source_kind, project_id FROM runs WHERE id = ?", {run.text},
                       [&](const catalog::Row& row) {
                         RunRow out{run, row.integer(0), row.integer(1), row.integer(2) != 0, row.text(3) == "step"};
                         return std::make_pair(std::move(out), std::string(row.text(4)));
                       }));
  if (!found || found->second != project.text) {
    return Error{ErrorCode::not_found, fmt::format("Run with id={} not found", clean_utf8(run.text, 300))};
  }
  return found->first;
}

Result<void> check_active(const RunRow& run) {
  if (!run.deleted) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("The run {} must be in the 'active' state. Current state is deleted.", run.id.text)};
}

Result<void> insert_params(catalog::Connection& connection, const RunRow& run, const KeyValues& params) {
  for (const auto& [key, value] : params) {
    const auto made = TRY(
        connection.run("INSERT INTO run_params (run, key, value) VALUES (?, ?, ?) ON CONFLICT (run, key) DO NOTHING",
                       {run.number, key, value}));
    if (made > 0) continue;
    const auto old = TRY(connection.first("SELECT value FROM run_params WHERE run = ? AND key = ?", {run.number, key},
                                          [](const catalog::Row& row) { return std::string(row.text(0)); }));
    if (old && *old == value) continue;
    return Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "Changing param values is not allowed. Param with key='{}' was already logged with value='{}' for run ID='{}'. "
            "Attempted logging new value '{}'.",
            key, old.value_or(""), run.id.text, value)};
  }
  return {};
}

Result<void> set_tags(catalog::Connection& connection, const RunRow& run, const KeyValues& tags, Time now) {
  for (const auto& [key, value] : tags) {
    TRY(connection.run(
        "INSERT INTO run_tags (run, key, value) VALUES (?, ?, ?) ON CONFLICT (run, key) DO UPDATE SET value = excluded.value",
        {run.number, key, value}));
    if (key == kRunNameTag)
      TRY(connection.run("UPDATE runs SET name = ?, updated_at = ? WHERE number = ?", {value, now.micros, run.number}));
    if (key == kParentRunTag)
      TRY(connection.run("UPDATE runs SET parent_id = ? WHERE number = ?", {value, run.number}));
  }
  return {};
}

Result<KeyValues> read_pairs(catalog::Connection& connection, std::string_view sql, std::int64_t owner) {
  return connection.rows(sql, {owner}, [](const catalog::Row& row) {
    return std::make_pair(std::string(row.text(0)), std::string(row.text(1)));
  });
}

Result<void> set_model_metric(catalog::Connection& connection, const ProjectId& project, const RunId& run,
                              const ModelMetric& metric) {
  const auto model =
      TRY(connection.first("SELECT number FROM logged_models WHERE id = ? AND project_id = ? AND deleted = 0",
                           {metric.model_id, project.text}, [](const catalog::Row& row) { return row.integer(0); }));
  if (!model)
    return Error{ErrorCode::not_found,
                 fmt::format("Logged model with ID '{}' not found.", clean_utf8(metric.model_id, 300))};
  TRY(connection.run(
      "INSERT INTO logged_model_metrics (model, key, dataset_name, dataset_digest, run_id, value, step, at_ms) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, key, dataset_name, dataset_digest, run_id) DO UPDATE "
      "SET value = excluded.value, step = excluded.step, at_ms = excluded.at_ms "
      "WHERE excluded.step > logged_model_metrics.step OR "
      "(excluded.step = logged_model_metrics.step AND excluded.at_ms >= logged_model_metrics.at_ms)",
      {*model, metric.key, metric.dataset_name, metric.dataset_digest, run.text, metric.value, metric.step,
       metric.at_ms}));
  return {};
}

}  // namespace slipway::tracking

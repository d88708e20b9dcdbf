#include "api/mlflow/render.h"

#include <cmath>
#include <limits>

namespace slipway::api::mlflow {
namespace {

void write_value(JsonWriter& json, std::string_view key, double value) { json.member(key, finite(value)); }

const char* stage_of(bool deleted) { return deleted ? "deleted" : "active"; }

void write_metric(JsonWriter& json, std::string_view key, double value, std::int64_t at_ms, std::int64_t step) {
  json.begin_object().member("key", key);
  write_value(json, "value", value);
  json.member("timestamp", at_ms).member("step", step);
}

void write_inputs(JsonWriter& json, const tracking::RunInputs& inputs) {
  json.key("inputs").begin_object();
  json.key("dataset_inputs").begin_array();
  for (const auto& dataset : inputs.datasets) {
    json.begin_object();
    write_pairs(json, "tags", dataset.tags);
    json.key("dataset").begin_object().member("name", dataset.name).member("digest", dataset.digest);
    json.member("source_type", dataset.source_type).member("source", dataset.source);
    if (dataset.schema) json.member("schema", *dataset.schema);
    if (dataset.profile) json.member("profile", *dataset.profile);
    json.end_object().end_object();
  }
  json.end_array().key("model_inputs").begin_array();
  for (const auto& model : inputs.models_in) json.begin_object().member("model_id", model.model_id).end_object();
  json.end_array().end_object();
  json.key("outputs").begin_object().key("model_outputs").begin_array();
  for (const auto& model : inputs.models_out)
    json.begin_object().member("model_id", model.model_id).member("step", model.step).end_object();
  json.end_array().end_object();
}

}  // namespace

double finite(double value) {
  if (!std::isinf(value)) return value;
  return value > 0 ? std::numeric_limits<double>::max() : std::numeric_limits<double>::lowest();
}

void write_pairs(JsonWriter& json, std::string_view key, const tracking::KeyValues& pairs) {
  json.key(key).begin_array();
  for (const auto& [name, value] : pairs) json.begin_object().member("key", name).member("value", value).end_object();
  json.end_array();
}

void write(JsonWriter& json, const tracking::Experiment& experiment) {
  json.begin_object().member("experiment_id", experiment.id.text).member("name", experiment.name);
  json.member("artifact_location", experiment.artifact_location)
      .member("lifecycle_stage", stage_of(experiment.deleted));
  json.member("last_update_time", experiment.updated_at.millis())
      .member("creation_time", experiment.created_at.millis());
  write_pairs(json, "tags", experiment.tags);
  json.end_object();
}

void write_info(JsonWriter& json, const tracking::Run& run) {
  json.begin_object().member("run_uuid", run.id.text).member("run_id", run.id.text).member("run_name", run.name);
  json.member("experiment_id", run.experiment.text)
      .member("user_id", run.user_name)
      .member("status", mlflow_name(run.state));
  json.member("start_time", run.started_at.millis());
  if (run.ended_at) json.member("end_time", run.ended_at->millis());
  json.member("artifact_uri", run.artifact_uri).member("lifecycle_stage", stage_of(run.deleted)).end_object();
}

void write(JsonWriter& json, const tracking::Run& run, const tracking::RunInputs& inputs) {
  json.begin_object().key("info");
  write_info(json, run);
  json.key("data").begin_object().key("metrics").begin_array();
  for (const auto& metric : run.metrics) {
    write_metric(json, metric.key, metric.value, metric.at_ms, metric.step);
    json.end_object();
  }
  json.end_array();
  write_pairs(json, "params", run.params);
  write_pairs(json, "tags", run.tags);
  json.end_object();
  write_inputs(json, inputs);
  json.end_object();
}

void write_point(JsonWriter& json, std::string_view key, const tracking::Point& point, std::string_view run_id) {
  write_metric(json, key, point.value, point.at_ms, point.step);
  if (!run_id.empty()) json.member("run_id", run_id);
  json.end_object();
}

void write(JsonWriter& json, const tracking::LoggedModel& model) {
  json.begin_object().key("info").begin_object();
  json.member("model_id", model.id.text).member("experiment_id", model.experiment.text).member("name", model.name);
  json.member("creation_timestamp_ms", model.created_at.millis())
      .member("last_updated_timestamp_ms", model.updated_at.millis());
  json.member("artifact_uri", model.artifact_uri)
      .member("status", name(model.status))
      .member("model_type", model.model_type);
  if (model.source_run) json.member("source_run_id", model.source_run->text);
  write_pairs(json, "tags", model.tags);
  json.key("registrations").begin_array().end_array().end_object();
  json.key("data").begin_object();
  write_pairs(json, "params", model.params);
  json.key("metrics").begin_array();
  for (const auto& metric : model.metrics) {
    write_metric(json, metric.key, metric.value, metric.at_ms, metric.step);
    if (!metric.dataset_name.empty()) json.member("dataset_name", metric.dataset_name);
    if (!metric.dataset_digest.empty()) json.member("dataset_digest", metric.dataset_digest);
    json.member("model_id", model.id.text).member("run_id", metric.run_id).end_object();
  }
  json.end_array().end_object().end_object();
}

void write(JsonWriter& json, const registry::Version& version) {
  json.begin_object().member("name", version.model).member("version", std::to_string(version.version));
  json.member("creation_timestamp", version.created_at.millis())
      .member("last_updated_timestamp", version.updated_at.millis());
  json.member("user_id", version.created_by)
      .member("current_stage", version.stage)
      .member("description", version.description);
  json.member("source", version.source);
  if (version.run) json.member("run_id", version.run->text);
  const char* status = version.status == registry::VersionStatus::ready     ? "READY"
                       : version.status == registry::VersionStatus::pending ? "PENDING_REGISTRATION"
                                                                            : "FAILED_REGISTRATION";
  json.member("status", status);
  if (!version.status_message.empty()) json.member("status_message", version.status_message);
  json.member("run_link", version.run_link);
  if (version.logged_model) json.member("model_id", version.logged_model->text);
  json.key("tags").begin_array();
  for (const auto& [key, value] : version.tags)
    json.begin_object().member("key", key).member("value", value).end_object();
  json.end_array().key("aliases").begin_array();
  for (const std::string& alias : version.aliases) json.value(alias);
  json.end_array().end_object();
}

void write(JsonWriter& json, const registry::Model& model, const std::vector<registry::Version>& latest) {
  json.begin_object().member("name", model.name).member("creation_timestamp", model.created_at.millis());
  json.member("last_updated_timestamp", model.updated_at.millis()).member("description", model.description);
  json.key("latest_versions").begin_array();
  for (const auto& version : latest) write(json, version);
  json.end_array().key("tags").begin_array();
  for (const auto& [key, value] : model.tags)
    json.begin_object().member("key", key).member("value", value).end_object();
  json.end_array().key("aliases").begin_array();
  for (const auto& [alias, version] : model.aliases)
    json.begin_object().member("alias", alias).member("version", std::to_string(version)).end_object();
  json.end_array().end_object();
}

void write_files(JsonWriter& json, const std::vector<registry::ArtifactEntry>& entries, std::string_view base) {
  json.key("files").begin_array();
  for (const auto& entry : entries) {
    json.begin_object()
        .member("path", std::string_view(entry.path).substr(base.size()))
        .member("is_dir", entry.is_directory);
    if (!entry.is_directory) json.member("file_size", static_cast<std::int64_t>(entry.size));
    json.end_object();
  }
  json.end_array();
}

}  // namespace slipway::api::mlflow

#include "imports/mlflow_json.h"

#include <cmath>
#include <limits>

#include "base/text.h"

namespace slipway::imports {
namespace {

/// int64 as a JSON number, or as the text that protobuf's own JSON has.
std::int64_t integer_of(const Json& json) { return json.integer().value_or(parse_i64(json.string()).value_or(0)); }

double number_of(const Json& json) {
  const double value =
      json.is_string() ? parse_double(json.string()).value_or(std::nan("")) : json.number().value_or(std::nan(""));
  if (std::abs(value) == std::numeric_limits<double>::max())
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return value;
}

Json array_of(const Json& json) { return json.is_array() ? json : Json(Json::Array{}); }

}  // namespace

bool same_point(const Point& a, const Point& b) {
  const bool same_value = a.value == b.value || (std::isnan(a.value) && std::isnan(b.value));
  return same_value && a.step == b.step && a.at_ms == b.at_ms;
}

Pairs pairs_of(const Json& list) {
  Pairs pairs;
  for (const Json& pair : list.array()) pairs.emplace_back(pair["key"].string(), pair["value"].string());
  return pairs;
}

Point point_of(const Json& json) {
  return {json["key"].string(), number_of(json["value"]), integer_of(json["timestamp"]), integer_of(json["step"])};
}

SourceRun run_of(const Json& json) {
  const Json& info = json["info"];
  const Json& data = json["data"];
  SourceRun run;
  run.id = info["run_id"].string();
  run.experiment_id = info["experiment_id"].string();
  run.name = info["run_name"].string();
  run.user = info["user_id"].string();
  run.status = info["status"].string();
  run.started_ms = integer_of(info["start_time"]);
  if (const std::int64_t end = integer_of(info["end_time"]); end > 0) run.ended_ms = end;
  run.deleted = info["lifecycle_stage"].string() == "deleted";
  run.params = pairs_of(data["params"]);
  run.tags = pairs_of(data["tags"]);
  for (const Json& metric : data["metrics"].array()) run.latest.push_back(point_of(metric));
  run.datasets = array_of(json["inputs"]["dataset_inputs"]);
  run.models_in = array_of(json["inputs"]["model_inputs"]);
  run.models_out = array_of(json["outputs"]["model_outputs"]);
  return run;
}

SourceLoggedModel logged_model_of(const Json& json) {
  const Json& info = json["info"];
  const Json& data = json["data"];
  SourceLoggedModel model;
  model.id = info["model_id"].string();
  model.experiment_id = info["experiment_id"].string();
  model.name = info["name"].string();
  model.model_type = info["model_type"].string();
  model.source_run = info["source_run_id"].string();
  model.created_ms = integer_of(info["creation_timestamp_ms"]);
  const std::string& status = info["status"].string();
  if (status == "LOGGED_MODEL_PENDING") model.status = "pending";
  if (status == "LOGGED_MODEL_UPLOAD_FAILED") model.status = "upload_failed";
  model.params = pairs_of(data["params"]);
  model.tags = pairs_of(info["tags"]);
  Json::Array metrics;
  for (const Json& metric : data["metrics"].array()) {
    const Point point = point_of(metric);
    Json out;
    out.set("key", point.key).set("value", std::isfinite(point.value) ? Json(point.value) : render_double(point.value));
    out.set("step", point.step).set("time_ms", point.at_ms).set("run_id", metric["run_id"].string());
    out.set("dataset_name", metric["dataset_name"].string());
    metrics.push_back(out.set("dataset_digest", metric["dataset_digest"].string()));
  }
  model.metrics = std::move(metrics);
  return model;
}

SourceModel model_of(const Json& json) {
  SourceModel model;
  model.name = json["name"].string();
  model.description = json["description"].string();
  model.tags = pairs_of(json["tags"]);
  for (const Json& alias : json["aliases"].array())
    model.aliases.emplace_back(alias["alias"].string(), integer_of(alias["version"]));
  return model;
}

SourceVersion version_of(const Json& json) {
  SourceVersion version;
  version.number = integer_of(json["version"]);
  version.source = json["source"].string();
  version.run_id = json["run_id"].string();
  version.model_id = json["model_id"].string();
  version.description = json["description"].string();
  version.stage = json["current_stage"].string();
  version.created_ms = integer_of(json["creation_timestamp"]);
  version.tags = pairs_of(json["tags"]);
  return version;
}

}  // namespace slipway::imports

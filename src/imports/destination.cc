#include "imports/destination.h"

#include <fmt/format.h>

#include <cmath>

#include "base/clock.h"
#include "base/text.h"
#include "domain/run.h"
#include "imports/proxy_path.h"

namespace slipway::imports {
namespace {

constexpr const char* kMlflow = "/api/2.0/mlflow/";
constexpr size_t kFoldersMax = 100'000;

Json object_of(const Pairs& pairs) {
  Json::Object out;
  for (const auto& [key, value] : pairs) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const auto& other) { return other.first == key; });
    if (same == out.end()) {
      out.emplace_back(key, value);
    } else {
      same->second = value;
    }
  }
  return out;
}

Json time_of(std::int64_t ms) { return ms > 0 ? Json(render(Time::from_millis(ms))) : Json(); }

std::string model_path(const std::string& name) { return "/api/v1/models/" + http::url_encode(name); }

std::string version_path(const std::string& model, std::int64_t number) {
  return model_path(model) + "/versions/" + std::to_string(number);
}

/// null for what does not exist.
Result<Json> or_null(Result<Json> found) {
  if (!found.ok() && found.error().code == ErrorCode::not_found) return Json();
  return found;
}

Point latest_of(const std::string& key, const Json& metric) {
  Point point;
  point.key = key;
  const Json& last = metric["last"];
  point.value = last.is_string() ? parse_double(last.string()).value_or(std::nan("")) : last.number().value_or(0);
  point.step = metric["step"].integer().value_or(0);
  if (const auto at = parse_time(metric["at"].string()); at.ok()) point.at_ms = at->millis();
  return point;
}

}  // namespace

Result<Destination> Destination::open(const Place& place) {
  http::Headers headers;
  headers.add("X-Slipway-Project", place.project);
  auto rest = TRY(Rest::open(place.url, {"", "", place.token}, std::move(headers)));
  return Destination(std::move(rest), place);
}

Result<std::string> Destination::experiment(const std::string& name, const Pairs& tags) {
  const std::string by_name =
      std::string(kMlflow) + "experiments/get-by-name?experiment_name=" + http::url_encode(name);
  Json found = TRY(or_null(rest_.get(by_name)));
  if (found.is_null() && place_.dry) return std::string();
  if (found.is_null()) {
    JsonWriter body;
    body.begin_object().member("name", name).end_object();
    TRY(rest_.post(std::string(kMlflow) + "experiments/create", body.take()));
    found = TRY(rest_.get(by_name));
  }
  const Json& experiment = found["experiment"];
  if (experiment["lifecycle_stage"].string() == "deleted")
    return Error{ErrorCode::failed_precondition,
                 "experiment '" + name + "' is deleted here; restore it, then import again"};
  const std::string id = experiment["experiment_id"].string();
  Pairs known;
  for (const Json& tag : experiment["tags"].array()) known.emplace_back(tag["key"].string(), tag["value"].string());
  for (const auto& tag : tags) {
    if (place_.dry || std::find(known.begin(), known.end(), tag) != known.end()) continue;
    JsonWriter body;
    body.begin_object().member("experiment_id", id).member("key", tag.first).member("value", tag.second).end_object();
    TRY(rest_.post(std::string(kMlflow) + "experiments/set-experiment-tag", body.take()));
  }
  return id;
}

Result<std::optional<KnownRun>> Destination::run(const std::string& id) {
  const Json found = TRY(or_null(rest_.get("/api/v1/runs/" + http::url_encode(id))));
  if (found.is_null()) return std::optional<KnownRun>();
  KnownRun known;
  known.state_tag = found["tags"][kStateTag].string();
  for (const auto& [key, metric] : found["metrics"].object()) known.latest.emplace(key, latest_of(key, metric));
  return std::optional(std::move(known));
}

Result<bool> Destination::put_run(const SourceRun& run, const std::string& experiment, const Pairs& further_tags) {
  if (place_.dry) return true;
  const auto state = parse_mlflow_run_state(run.status);
  Pairs tags = run.tags;
  tags.insert(tags.end(), further_tags.begin(), further_tags.end());
  Json body{Json::Object{}};
  body.set("experiment_id", experiment).set("name", run.name.empty() ? run.id : run.name).set("user", run.user);
  body.set("state", name(state.value_or(RunState::finished)));
  body.set("started_at", time_of(run.started_ms)).set("ended_at", time_of(run.ended_ms.value_or(0)));
  body.set("deleted", run.deleted).set("parameters", object_of(run.params)).set("tags", object_of(tags));
  const Json made = TRY(rest_.put("/api/v1/imports/runs/" + http::url_encode(run.id), body.render()));
  return made["is_new"].boolean().value_or(false);
}

Result<void> Destination::put_logged_model(const SourceLoggedModel& model, const std::string& experiment) {
  if (place_.dry) return {};
  Json body{Json::Object{}};
  body.set("experiment_id", experiment).set("name", model.name).set("model_type", model.model_type);
  body.set("status", model.status).set("created_at", time_of(model.created_ms));
  body.set("source_run_id", model.source_run).set("parameters", object_of(model.params));
  body.set("tags", object_of(model.tags)).set("metrics", model.metrics);
  TRY(rest_.put("/api/v1/imports/logged_models/" + http::url_encode(model.id), body.render()));
  return {};
}

Result<void> Destination::log_points(const std::string& run, std::span<const Point> points) {
  if (place_.dry || points.empty()) return {};
  JsonWriter body;
  body.begin_object().member("run_id", run).key("metrics").begin_array();
  for (const Point& point : points) {
    body.begin_object().member("key", point.key).member("value", point.value);
    body.member("timestamp", point.at_ms).member("step", point.step).end_object();
  }
  body.end_array().end_object();
  TRY(rest_.post(std::string(kMlflow) + "runs/log-batch", body.take()));
  return {};
}

Result<void> Destination::log_links(const SourceRun& run, bool models) {
  if (place_.dry) return {};
  const Json models_in = models ? run.models_in : Json(Json::Array{});
  if (!run.datasets.array().empty() || !models_in.array().empty()) {
    Json body{Json::Object{}};
    body.set("run_id", run.id).set("datasets", run.datasets).set("models", models_in);
    TRY(rest_.post(std::string(kMlflow) + "runs/log-inputs", body.render()));
  }
  if (models && !run.models_out.array().empty()) {
    Json body{Json::Object{}};
    body.set("run_id", run.id).set("models", run.models_out);
    TRY(rest_.post(std::string(kMlflow) + "runs/outputs", body.render()));
  }
  return {};
}

Result<void> Destination::log_parameter(const std::string& run, const std::string& key, const std::string& value) {
  return send_pair("runs/log-parameter", run, key, value);
}

Result<void> Destination::set_tag(const std::string& run, const std::string& key, const std::string& value) {
  return send_pair("runs/set-tag", run, key, value);
}

Result<void> Destination::send_pair(const char* endpoint, const std::string& run, const std::string& key,
                                    const std::string& value) {
  if (place_.dry) return {};
  JsonWriter body;
  body.begin_object().member("run_id", run).member("key", key).member("value", value).end_object();
  TRY(rest_.post(std::string(kMlflow) + endpoint, body.take()));
  return {};
}

Result<std::map<std::string, std::uint64_t>> Destination::files(const Owner& owner) {
  std::map<std::string, std::uint64_t> out;
  std::vector<std::string> folders{""};
  for (size_t i = 0; i < folders.size() && i < kFoldersMax; ++i) {
    const std::string folder = folders[i];
    const std::string path = proxy_folder(owner) + (folder.empty() ? "" : "/" + folder);
    const Json page = TRY(or_null(rest_.get("/api/2.0/mlflow-artifacts/artifacts?path=" + http::url_encode(path))));
    for (const Json& file : page["files"].array()) {
      const std::string name = (folder.empty() ? "" : folder + "/") + file["path"].string();
      if (file["is_dir"].boolean().value_or(false)) {
        folders.push_back(name);
      } else {
        out[name] = static_cast<std::uint64_t>(file["file_size"].integer().value_or(0));
      }
    }
  }
  return out;
}

Result<void> Destination::put_file(const Owner& owner, const std::string& path, const std::filesystem::path& file) {
  if (place_.dry) return {};
  return rest_.upload("/api/2.0/mlflow-artifacts/artifacts/" + encode_path(proxy_folder(owner) + "/" + path), file);
}

Result<Json> Destination::model(const std::string& name) { return or_null(rest_.get(model_path(name))); }

Result<void> Destination::make_model(const SourceModel& model) {
  if (place_.dry) return {};
  Json body{Json::Object{}};
  body.set("name", model.name).set("description", model.description).set("tags", object_of(model.tags));
  TRY(rest_.post("/api/v1/models", body.render()));
  return {};
}

Result<Json> Destination::version(const std::string& model, std::int64_t number) {
  return or_null(rest_.get(version_path(model, number)));
}

Result<void> Destination::make_version(const std::string& model, const SourceVersion& version,
                                       const std::string& source) {
  if (place_.dry) return {};
  Json body{Json::Object{}};
  body.set("version", version.number).set("created_at", time_of(version.created_ms)).set("source", source);
  body.set("run_id", version.run_id).set("logged_model_id", version.model_id);
  body.set("description", version.description).set("tags", object_of(version.tags));
  TRY(rest_.post(model_path(model) + "/versions", body.render()));
  return {};
}

Result<void> Destination::change_version(const std::string& model, std::int64_t number, const Json& change) {
  if (place_.dry) return {};
  TRY(rest_.patch(version_path(model, number), change.render()));
  return {};
}

Result<void> Destination::move_alias(const std::string& model, const std::string& alias, std::int64_t version,
                                     const std::string& reason) {
  if (place_.dry) return {};
  JsonWriter body;
  body.begin_object().member("version", version).member("reason", reason).end_object();
  TRY(rest_.put(model_path(model) + "/aliases/" + http::url_encode(alias), body.take()));
  return {};
}

Result<std::string> Destination::last_reason(const std::string& model, const std::string& alias) {
  const Json found =
      TRY(or_null(rest_.get(model_path(model) + "/history?page_size=1&alias=" + http::url_encode(alias))));
  for (const Json& move : found["history"].array()) return move["reason"].string();
  return std::string();
}

}  // namespace slipway::imports

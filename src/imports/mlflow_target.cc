#include "imports/mlflow_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "imports/mlflow_json.h"
#include "imports/mlflow_server.h"
#include "imports/proxy_path.h"

namespace slipway::imports {
namespace {

constexpr int kRunsPerPage = 500;
constexpr int kModelsPerPage = 50;
constexpr std::string_view kProxyScheme = "mlflow-artifacts:";

std::string api(std::string_view endpoint) { return "/api/2.0/mlflow/" + std::string(endpoint); }

/// Null for what is not there.
Result<Json> or_null(Result<Json> answer) {
  if (!answer.ok() && answer.error().code == ErrorCode::not_found) return Json();
  return answer;
}

Json pair_json(const std::string& key, const std::string& value) {
  return Json(Json::Object{}).set("key", key).set("value", value);
}

Json pairs_json(const Pairs& pairs) {
  Json::Array array;
  for (const auto& [key, value] : pairs) array.push_back(pair_json(key, value));
  return array;
}

/// Numbers that JSON cannot write go as the texts that protobuf takes for them.
Json point_json(const Point& point) {
  Json json{Json::Object{}};
  json.set("key", point.key);
  json.set("value", std::isfinite(point.value) ? Json(point.value) : Json(render_double(point.value)));
  return json.set("timestamp", point.at_ms).set("step", point.step);
}

std::string tag_of(const Pairs& tags, std::string_view key) {
  for (const auto& [name, value] : tags) {
    if (name == key) return value;
  }
  return "";
}

/// The path within the proxy: "mlflow-artifacts:/1/RUN/artifacts", also with a host in it.
std::string proxy_path_of(std::string_view uri) {
  std::string_view rest = uri.substr(kProxyScheme.size());
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
  }
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return std::string(rest);
}

Pushed pushed_run(const Json& json) {
  SourceRun run = run_of(json);
  Pushed pushed{run.id, tag_of(run.tags, kPushedStateTag), json["info"]["artifact_uri"].string(), run.deleted, {}, {},
                {}};
  pushed.params = std::move(run.params);
  pushed.tags = std::move(run.tags);
  for (Point& point : run.latest) pushed.latest.emplace(point.key, point);
  return pushed;
}

Pushed pushed_model(const Json& json) {
  const SourceLoggedModel model = logged_model_of(json);
  return {model.id, tag_of(model.tags, kPushedStateTag), json["info"]["artifact_uri"].string(), false, {}, model.tags,
          {}};
}

Json run_body(const std::string& run) { return Json(Json::Object{}).set("run_id", run); }

}  // namespace

Result<MlflowTarget> MlflowTarget::open(const std::string& url, const Credentials& credentials) {
  auto reader = TRY(open_mlflow_server(url, credentials));
  return MlflowTarget(TRY(Rest::open(url, credentials)), std::move(reader));
}

Result<void> MlflowTarget::pages(const std::string& path, Json request, const std::function<void(const Json&)>& visit) {
  while (true) {
    const Json page = TRY(rest_.post(path, request.render()));
    visit(page);
    const std::string& token = page["next_page_token"].string();
    if (token.empty()) return {};
    request.set("page_token", token);
  }
}

// --- runs ----------------------------------------------------------------------------------------------------------

Result<std::string> MlflowTarget::experiment(const std::string& name, const Pairs& tags) {
  const std::string by_name = api("experiments/get-by-name?experiment_name=") + http::url_encode(name);
  Json found = TRY(or_null(rest_.get(by_name)));
  if (found.is_null()) {
    Json body{Json::Object{}};
    TRY(rest_.post(api("experiments/create"), body.set("name", name).set("tags", pairs_json(tags)).render()));
    found = TRY(rest_.get(by_name));
  }
  if (found["experiment"]["lifecycle_stage"].string() == "deleted")
    return Error{ErrorCode::failed_precondition,
                 "experiment '" + name + "' is deleted there; restore it, then push again"};
  return found["experiment"]["experiment_id"].string();
}

Result<void> MlflowTarget::runs(const std::string& experiment,
                                const std::function<void(const std::string&, Pushed)>& visit) {
  Json request{Json::Object{}};
  request.set("experiment_ids", Json::Array{Json(experiment)}).set("max_results", kRunsPerPage);
  request.set("run_view_type", "ALL").set("filter", fmt::format("tags.`{}` LIKE '%'", kPushedRunTag));
  return pages(api("runs/search"), request, [&](const Json& page) {
    for (const Json& item : page["runs"].array()) {
      Pushed run = pushed_run(item);
      const std::string ours = tag_of(run.tags, kPushedRunTag);
      visit(ours, std::move(run));
    }
  });
}

Result<Pushed> MlflowTarget::create_run(const SourceRun& run, const std::string& experiment) {
  Json body{Json::Object{}};
  body.set("experiment_id", experiment).set("start_time", run.started_ms).set("user_id", run.user);
  if (!run.name.empty()) body.set("run_name", run.name);
  body.set("tags", Json::Array{pair_json(kPushedRunTag, run.id)});
  return pushed_run(TRY(rest_.post(api("runs/create"), body.render()))["run"]);
}

Result<void> MlflowTarget::finish_run(const std::string& id, const SourceRun& run) {
  Json body = run_body(id);
  body.set("status", run.status);
  if (!run.name.empty()) body.set("run_name", run.name);
  if (run.ended_ms) body.set("end_time", *run.ended_ms);
  TRY(rest_.post(api("runs/update"), body.render()));
  return {};
}

Result<void> MlflowTarget::delete_run(const std::string& id) {
  TRY(rest_.post(api("runs/delete"), run_body(id).render()));
  return {};
}

Result<void> MlflowTarget::log_points(const std::string& run, std::span<const Point> points) {
  if (points.empty()) return {};
  Json::Array metrics;
  for (const Point& point : points) metrics.push_back(point_json(point));
  TRY(rest_.post(api("runs/log-batch"), run_body(run).set("metrics", std::move(metrics)).render()));
  return {};
}

Result<void> MlflowTarget::log_model_points(const std::string& run, std::span<const ModelPoint> points) {
  if (points.empty()) return {};
  Json::Array metrics;
  for (const ModelPoint& one : points) {
    Json json = point_json(one.point).set("model_id", one.model_id);
    if (!one.dataset_name.empty()) json.set("dataset_name", one.dataset_name).set("dataset_digest", one.dataset_digest);
    metrics.push_back(std::move(json));
  }
  TRY(rest_.post(api("runs/log-batch"), run_body(run).set("metrics", std::move(metrics)).render()));
  return {};
}

Result<void> MlflowTarget::log_pairs(const std::string& run, const Pairs& params, const Pairs& tags) {
  if (params.empty() && tags.empty()) return {};
  Json body = run_body(run);
  TRY(rest_.post(api("runs/log-batch"), body.set("params", pairs_json(params)).set("tags", pairs_json(tags)).render()));
  return {};
}

Result<void> MlflowTarget::set_tag(const std::string& run, const std::string& key, const std::string& value) {
  TRY(rest_.post(api("runs/set-tag"), run_body(run).set("key", key).set("value", value).render()));
  return {};
}

Result<void> MlflowTarget::log_links(const std::string& run, const Json& datasets, const Json& models_in,
                                     const Json& models_out) {
  if (!datasets.array().empty() || !models_in.array().empty()) {
    Json body = run_body(run);
    TRY(rest_.post(api("runs/log-inputs"), body.set("datasets", datasets).set("models", models_in).render()));
  }
  if (!models_out.array().empty())
    TRY(rest_.post(api("runs/outputs"), run_body(run).set("models", models_out).render()));
  return {};
}

Result<std::vector<Point>> MlflowTarget::history(const std::string& run, const std::string& key) {
  SourceRun there;
  there.id = run;
  std::vector<Point> points;
  TRY(reader_->history(there, key, [&](std::span<const Point> some) -> Result<void> {
    points.insert(points.end(), some.begin(), some.end());
    return {};
  }));
  return points;
}

// --- logged models -------------------------------------------------------------------------------------------------

Result<bool> MlflowTarget::has_logged_models(const std::string& experiment) {
  if (has_models_) return *has_models_;
  Json request{Json::Object{}};
  request.set("experiment_ids", Json::Array{Json(experiment)}).set("max_results", 1);
  const auto answer = rest_.post(api("logged-models/search"), request.render());
  if (!answer.ok() && answer.error().code != ErrorCode::not_found && answer.error().code != ErrorCode::unsupported)
    return answer.error();
  has_models_ = answer.ok();
  return *has_models_;
}

Result<void> MlflowTarget::logged_models(const std::string& experiment,
                                         const std::function<void(const std::string&, Pushed)>& visit) {
  Json request{Json::Object{}};
  request.set("experiment_ids", Json::Array{Json(experiment)}).set("max_results", kModelsPerPage);
  return pages(api("logged-models/search"), request, [&](const Json& page) {
    for (const Json& item : page["models"].array()) {
      Pushed model = pushed_model(item);
      const std::string ours = tag_of(model.tags, kPushedModelTag);
      if (!ours.empty()) visit(ours, std::move(model));
    }
  });
}

Result<Pushed> MlflowTarget::create_logged_model(const SourceLoggedModel& model, const std::string& experiment,
                                                 const std::string& source_run) {
  Pairs tags = model.tags;
  tags.emplace_back(kPushedModelTag, model.id);
  Json body{Json::Object{}};
  body.set("experiment_id", experiment).set("name", model.name).set("params", pairs_json(model.params));
  body.set("tags", pairs_json(tags));
  if (!model.model_type.empty()) body.set("model_type", model.model_type);
  if (!source_run.empty()) body.set("source_run_id", source_run);
  return pushed_model(TRY(rest_.post(api("logged-models"), body.render()))["model"]);
}

Result<void> MlflowTarget::finish_logged_model(const std::string& id, const std::string& status,
                                               const std::string& state) {
  const std::string path = api("logged-models/") + http::url_encode(id);
  const char* name = status == "upload_failed" ? "LOGGED_MODEL_UPLOAD_FAILED" : "LOGGED_MODEL_READY";
  if (status != "pending")
    TRY(rest_.patch(path, Json(Json::Object{}).set("model_id", id).set("status", name).render()));
  Json body = Json(Json::Object{}).set("model_id", id);
  TRY(rest_.patch(path + "/tags", body.set("tags", Json::Array{pair_json(kPushedStateTag, state)}).render()));
  return {};
}

// --- files ---------------------------------------------------------------------------------------------------------

Result<std::map<std::string, std::uint64_t>> MlflowTarget::files(const Owner& owner) {
  std::map<std::string, std::uint64_t> sizes;
  for (const SourceFile& file : TRY(reader_->files(owner))) sizes.emplace(file.path, file.size);
  return sizes;
}

bool MlflowTarget::takes_files(const std::string& files_at) { return files_at.starts_with(kProxyScheme); }

Result<void> MlflowTarget::put_file(const std::string& files_at, const std::string& path,
                                    const std::filesystem::path& file) {
  return rest_.upload("/api/2.0/mlflow-artifacts/artifacts/" + encode_path(proxy_path_of(files_at) + "/" + path), file);
}

// --- registered models ---------------------------------------------------------------------------------------------

Result<Json> MlflowTarget::model(const std::string& name) {
  const Json found = TRY(or_null(rest_.get(api("registered-models/get?name=") + http::url_encode(name))));
  return found.is_null() ? found : found["registered_model"];
}

Result<void> MlflowTarget::create_model(const SourceModel& model) {
  Json body{Json::Object{}};
  body.set("name", model.name).set("description", model.description).set("tags", pairs_json(model.tags));
  TRY(rest_.post(api("registered-models/create"), body.render()));
  return {};
}

Result<std::map<std::int64_t, PushedVersion>> MlflowTarget::versions(const std::string& model) {
  std::map<std::int64_t, PushedVersion> numbers;
  const char quote = model.find('\'') == std::string::npos ? '\'' : '"';
  const std::string filter = fmt::format("name={0}{1}{0}", quote, model);
  std::string token;
  do {
    const std::string path = api("model-versions/search?max_results=1000&filter=") + http::url_encode(filter) +
                             (token.empty() ? "" : "&page_token=" + http::url_encode(token));
    const Json page = TRY(rest_.get(path));
    for (const Json& item : page["model_versions"].array()) {
      const auto ours = parse_i64(tag_of(pairs_of(item["tags"]), kPushedVersionTag));
      if (ours) numbers.emplace(*ours, PushedVersion{item["version"].string(), item["current_stage"].string()});
    }
    token = page["next_page_token"].string();
  } while (!token.empty());
  return numbers;
}

Result<std::string> MlflowTarget::create_version(const std::string& model, const SourceVersion& version,
                                                 const std::string& source, const std::string& run,
                                                 const std::string& logged_model) {
  Pairs tags = version.tags;
  tags.emplace_back(kPushedVersionTag, std::to_string(version.number));
  Json body{Json::Object{}};
  body.set("name", model).set("source", source).set("description", version.description);
  if (!run.empty()) body.set("run_id", run);
  if (!logged_model.empty()) body.set("model_id", logged_model);
  const Json made = TRY(rest_.post(api("model-versions/create"), body.set("tags", pairs_json(tags)).render()));
  return made["model_version"]["version"].string();
}

Result<void> MlflowTarget::set_stage(const std::string& model, const std::string& version, const std::string& stage) {
  Json body{Json::Object{}};
  body.set("name", model).set("version", version).set("stage", stage).set("archive_existing_versions", false);
  TRY(rest_.post(api("model-versions/transition-stage"), body.render()));
  return {};
}

Result<void> MlflowTarget::set_alias(const std::string& model, const std::string& alias, const std::string& version) {
  Json body{Json::Object{}};
  TRY(rest_.post(api("registered-models/alias"),
                 body.set("name", model).set("alias", alias).set("version", version).render()));
  return {};
}

}  // namespace slipway::imports

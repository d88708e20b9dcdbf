#include "api/native/imports.h"

#include <fmt/format.h>

#include "api/api.h"
#include "base/ids.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::ImportedLoggedModel;
using tracking::ImportedRun;
using tracking::Tracking;

constexpr size_t kIdBytesMax = 64;
constexpr size_t kNameBytesMax = 1000;
constexpr size_t kPairsMax = 20'000;      // parameters or tags of one run
constexpr size_t kKeyBytesMax = 250;      // as MLflow's own
constexpr size_t kValueBytesMax = 8000;   // of a parameter; MLflow takes 6000
constexpr size_t kTagBytesMax = 1 << 20;  // descriptions and histories of models are tags, too

Result<RunId> run_id_of(const Request& request) {
  const std::string id(request.parameter("run"));
  if (id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos) return RunId(id);
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' is no run's id; expected 32 of the digits 0-9 and a-f", clean_utf8(id, 100))};
}

Result<std::string> model_id_of(const Request& request) {
  const std::string id(request.parameter("model"));
  if (looks_like_id(id) && id.size() <= kIdBytesMax) return id;
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("'{}' is no id; expected at most {} letters, digits, '_' and '-'", clean_utf8(id, 100), kIdBytesMax)};
}

Result<std::string> name_in(const Json& body) {
  std::string name = TRY(required_string(body, "name"));
  if (name.size() <= kNameBytesMax) return name;
  return Error{ErrorCode::too_large,
               fmt::format("'name' has {} bytes; at most {} are taken", name.size(), kNameBytesMax)};
}

Result<std::optional<Time>> time_in(const Json& body, std::string_view member) {
  const Json* value = body.find(member);
  if (!value || value->is_null()) return std::optional<Time>();
  const std::string text = TRY(required_string(body, member));
  const auto time = parse_time(text);
  if (!time.ok())
    return Error{ErrorCode::invalid_argument, fmt::format("'{}' is '{}'; expected a time such as 2026-03-01T10:00:00Z",
                                                          member, clean_utf8(text, 60))};
  return std::optional(*time);
}

Result<tracking::KeyValues> pairs_in(const Json& body, const char* member, size_t value_bytes_max) {
  auto pairs = TRY(optional_text_pairs(body, member));
  if (pairs.size() > kPairsMax)
    return Error{ErrorCode::too_large,
                 fmt::format("'{}' has {} entries; at most {} are taken", member, pairs.size(), kPairsMax)};
  for (const auto& [key, value] : pairs) {
    if (!key.empty() && key.size() <= kKeyBytesMax && value.size() <= value_bytes_max) continue;
    return Error{ErrorCode::too_large,
                 fmt::format("'{}' has the key '{}' with {} bytes; keys have 1 to {} bytes, values at most {}", member,
                             clean_utf8(key, 100), value.size(), kKeyBytesMax, value_bytes_max)};
  }
  return pairs;
}

Result<RunState> state_in(const Json& body) {
  const std::string text = TRY(required_string(body, "state"));
  const auto state = parse_run_state(text);
  if (state && *state != RunState::queued && *state != RunState::stopping) return *state;
  return Error{ErrorCode::invalid_argument,
               "'state' is '" + clean_utf8(text, 60) + "'; expected scheduled, running, finished, failed or killed"};
}

http::Response made(bool is_new, std::string_view id) {
  return http::Response::json(Json().set("id", id).set("is_new", is_new).render(), is_new ? 201 : 200);
}

/// By its id, or by its name, which makes it where there is none.
Result<ExperimentId> experiment_in(Tracking& tracking, const ProjectId& project, const Json& body) {
  const std::string name = TRY(optional_string(body, "experiment"));
  if (name.empty()) return ExperimentId(TRY(required_string(body, "experiment_id")));
  if (name.size() > kNameBytesMax)
    return Error{ErrorCode::too_large,
                 fmt::format("'experiment' has {} bytes; at most {} are taken", name.size(), kNameBytesMax)};
  return TRY(tracking.experiments().find_or_create(project, name)).id;
}

Result<http::Response> put_run(Tracking& tracking, const Request& request) {
  const Json body = TRY(json_body(request));
  ImportedRun run;
  run.id = TRY(run_id_of(request));
  run.experiment = TRY(experiment_in(tracking, project_of(request), body));
  run.name = TRY(name_in(body));
  run.user_name = TRY(optional_string(body, "user"));
  run.state = TRY(state_in(body));
  run.started_at = TRY(time_in(body, "started_at")).value_or(Time{});
  run.ended_at = TRY(time_in(body, "ended_at"));
  run.deleted = TRY(optional_boolean(body, "deleted", false));
  run.params = TRY(pairs_in(body, "parameters", kValueBytesMax));
  run.tags = TRY(pairs_in(body, "tags", kTagBytesMax));
  return made(TRY(tracking.imports().put_run(project_of(request), run)), run.id.text);
}

Result<tracking::LoggedModelStatus> status_in(const Json& body) {
  const std::string text = TRY(optional_string(body, "status", "ready"));
  if (text == "ready") return tracking::LoggedModelStatus::ready;
  if (text == "pending") return tracking::LoggedModelStatus::pending;
  if (text == "upload_failed") return tracking::LoggedModelStatus::upload_failed;
  return Error{ErrorCode::invalid_argument,
               "'status' is '" + clean_utf8(text, 60) + "'; expected ready, pending or upload_failed"};
}

Result<tracking::LoggedModelMetric> metric_in(const Json& json) {
  tracking::LoggedModelMetric metric;
  metric.key = TRY(required_string(json, "key"));
  metric.run_id = TRY(required_string(json, "run_id"));
  metric.dataset_name = TRY(optional_string(json, "dataset_name"));
  metric.dataset_digest = TRY(optional_string(json, "dataset_digest"));
  const auto value = json["value"].is_string() ? parse_double(json["value"].string()) : json["value"].number();
  if (!value)
    return Error{ErrorCode::invalid_argument,
                 "the metric '" + clean_utf8(metric.key, 100) + "' has no value; expected a number"};
  metric.value = *value;
  metric.step = TRY(optional_integer(json, "step", 0));
  metric.at_ms = TRY(optional_integer(json, "time_ms", 0));
  return metric;
}

Result<http::Response> put_logged_model(Tracking& tracking, const Request& request) {
  const Json body = TRY(json_body(request));
  ImportedLoggedModel model;
  model.id = LoggedModelId(TRY(model_id_of(request)));
  model.experiment = ExperimentId(TRY(required_string(body, "experiment_id")));
  model.name = TRY(name_in(body));
  model.model_type = TRY(optional_string(body, "model_type"));
  model.status = TRY(status_in(body));
  if (const std::string run = TRY(optional_string(body, "source_run_id")); !run.empty()) model.source_run = RunId(run);
  model.created_at = TRY(time_in(body, "created_at")).value_or(system_clock().now());
  model.params = TRY(pairs_in(body, "parameters", kValueBytesMax));
  model.tags = TRY(pairs_in(body, "tags", kTagBytesMax));
  for (const Json& metric : TRY(optional_array(body, "metrics"))) model.metrics.push_back(TRY(metric_in(metric)));
  return made(TRY(tracking.imports().put_logged_model(project_of(request), model)), model.id.text);
}

}  // namespace

void add_imports(http::Router& router, Tracking& tracking) {
  using Function = Result<http::Response> (*)(Tracking&, const Request&);
  const auto add = [&](const char* pattern, Function function) {
    router.add(Method::put, pattern, [&tracking, function](Request& request, Responder responder) {
      answer(responder, function(tracking, request), [](const http::Response& response) { return response; });
    });
  };
  add("/api/v1/imports/runs/{run}", put_run);
  add("/api/v1/imports/logged_models/{model}", put_logged_model);
}

}  // namespace slipway::api

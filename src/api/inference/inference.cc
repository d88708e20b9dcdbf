#include "api/inference/inference.h"

#include "api/api.h"
#include "api/inference/infer.h"
#include "api/inference/wire.h"
#include "base/text.h"
#include "version.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using http::Response;

constexpr http::RouteOptions kOnLoop{http::Where::on_loop, 1 << 20};
constexpr http::RouteOptions kInfer{http::Where::on_loop, inference::kRequestBytesMax};

Result<std::optional<std::int64_t>> version_of(const Request& request) {
  const std::string_view text = request.parameter("version");
  if (text.empty()) return std::optional<std::int64_t>();
  const auto version = parse_i64(text);
  if (!version)
    return Error{ErrorCode::not_found, "a model version is a whole number; found '" + clean_utf8(text, 40) + "'"};
  return version;
}

Result<serving::Target> target_of(serving::Serving& serving, const Request& request) {
  return serving.target(project_of(request), request.parameter("model"), TRY(version_of(request)));
}

template <typename Render>
void answer_json(const Responder& responder, const Result<serving::Target>& target, Render render) {
  responder.send(target.ok() ? Response::json(render(*target)) : oip::error_response(target.error()));
}

std::string server_json() {
  JsonWriter json;
  json.begin_object().member("name", "slipway").member("version", kVersion).key("extensions").begin_array();
  for (const char* extension : {"classification", "model_repository", "model_configuration", "binary_tensor_data",
                                "parameters", "statistics", "schedule_policy"})
    json.value(extension);
  return json.end_array().end_object().take();
}

/// Of one deployment, or of all of the project when `name` is empty.
Result<std::string> statistics_json(serving::Serving& serving, const ProjectId& project, std::string_view name,
                                    std::optional<std::int64_t> version) {
  JsonWriter json;
  json.begin_object().key("model_stats").begin_array();
  for (const auto& [deployment, active] : serving.endpoints(project)) {
    if (!name.empty() && deployment != name) continue;
    for (const serving::VersionFigures& figures : TRY(serving.figures(project, deployment))) {
      if (!version || figures.version == *version) oip::append_statistics(json, deployment, figures);
    }
  }
  return json.end_array().end_object().take();
}

void statistics(serving::Serving& serving, const Request& request, const Responder& responder) {
  const auto target = target_of(serving, request);
  // Statistics outlive the moment: a deployment that cannot answer still has them.
  if (!target.ok() && target.error().code == ErrorCode::not_found)
    return responder.send(oip::error_response(target.error()));
  const auto json = statistics_json(serving, project_of(request), request.parameter("model"),
                                    version_of(request).value_or(std::nullopt));
  responder.send(json.ok() ? Response::json(*json) : oip::error_response(json.error()));
}

std::string index_json(serving::Serving& serving, const ProjectId& project, bool ready_only) {
  JsonWriter json;
  json.begin_array();
  for (const auto& [name, version] : serving.endpoints(project)) {
    const auto target = serving.target(project, name);
    if (ready_only && !target.ok()) continue;
    json.begin_object().member("name", name);
    if (version > 0) json.member("version", std::to_string(version));
    json.member("state", target.ok() ? "READY" : "UNAVAILABLE")
        .member("reason", target.ok() ? "" : target.error().message)
        .end_object();
  }
  return json.end_array().take();
}

void repository_index(serving::Serving& serving, const Request& request, const Responder& responder) {
  const auto body = json_body(request);
  if (!body.ok()) return responder.send(oip::error_response(body.error()));
  responder.send(Response::json(index_json(serving, project_of(request), (*body)["ready"].boolean().value_or(false))));
}

/// Load and unload start and stop a deployment that exists; making one needs a model, which the native API names.
void set_running(serving::Serving& serving, const Request& request, const Responder& responder, bool running) {
  const auto body = json_body(request);
  if (!body.ok()) return responder.send(oip::error_response(body.error()));
  for (const auto& [key, value] : (*body)["parameters"].object()) {
    if (key == "config" || key.starts_with("file:"))
      return responder.send(oip::error_response(
          {ErrorCode::unsupported,
           "'" + key + "' cannot be loaded from a request; register a model version and deploy it"}));
  }
  serving::DeploymentChange change;
  change.running = running;
  const auto updated = serving.update(project_of(request), request.parameter("model"), change, caller_of(request).name);
  responder.send(updated.ok() ? Response::json("{}") : oip::error_response(updated.error()));
}

void add_server_routes(http::Router& router, serving::Serving& serving) {
  router.add(
      Method::get, "/v2", [](Request&, const Responder& responder) { responder.send(Response::json(server_json())); },
      kOnLoop);
  // Live and ready say that the server itself answers; each model has its own.
  for (const char* path : {"/v2/health/live", "/v2/health/ready"}) {
    router.add(
        Method::get, path, [](Request&, const Responder& responder) { responder.send(Response::empty(200)); }, kOnLoop);
  }
  for (const char* path : {"/v2/repository/index", "/v2/repository/{repository}/index"}) {
    router.add(
        Method::post, path,
        [&serving](Request& request, const Responder& responder) { repository_index(serving, request, responder); },
        kOnLoop);
  }
  for (const bool running : {true, false}) {
    router.add(Method::post, running ? "/v2/repository/models/{model}/load" : "/v2/repository/models/{model}/unload",
               [&serving, running](Request& request, const Responder& responder) {
                 set_running(serving, request, responder, running);
               });
  }
  router.add(
      Method::get, "/v2/models/stats",
      [&serving](Request& request, const Responder& responder) {
        const auto json = statistics_json(serving, project_of(request), "", std::nullopt);
        responder.send(json.ok() ? Response::json(*json) : oip::error_response(json.error()));
      },
      kOnLoop);
}

void add_model_routes(http::Router& router, serving::Serving& serving, ThreadPool& pool, const std::string& model) {
  router.add(
      Method::post, model + "/infer",
      [&serving, &pool](Request& request, const Responder& responder) {
        oip::infer(serving, pool, request, responder);
      },
      kInfer);
  router.add(
      Method::get, model,
      [&serving](Request& request, const Responder& responder) {
        answer_json(responder, target_of(serving, request), oip::metadata_json);
      },
      kOnLoop);
  router.add(
      Method::get, model + "/config",
      [&serving](Request& request, const Responder& responder) {
        answer_json(responder, target_of(serving, request), oip::config_json);
      },
      kOnLoop);
  router.add(
      Method::get, model + "/stats",
      [&serving](Request& request, const Responder& responder) { statistics(serving, request, responder); }, kOnLoop);
  router.add(
      Method::get, model + "/ready",
      [&serving](Request& request, const Responder& responder) {
        const auto target = target_of(serving, request);
        if (target.ok()) return responder.send(Response::empty(200));
        // Clients take any 4xx for "not ready".
        responder.send(oip::error_response({ErrorCode::invalid_argument, target.error().message}));
      },
      kOnLoop);
}

}  // namespace

void add_inference(http::Router& router, serving::Serving& serving, ThreadPool& pool) {
  add_server_routes(router, serving);
  add_model_routes(router, serving, pool, "/v2/models/{model}");
  add_model_routes(router, serving, pool, "/v2/models/{model}/versions/{version}");
  // Clients read every error as {"error": "…"}, also that of a path nobody knows.
  const auto unknown = [](Request& request, const Responder& responder) {
    responder.send(oip::error_response({ErrorCode::not_found, "there is nothing at " + clean_utf8(request.path, 200) +
                                                                  "; GET /v2 lists the extensions this server has"}));
  };
  for (const Method method : {Method::get, Method::post}) router.add(method, "/v2/{rest...}", unknown, kOnLoop);
}

}  // namespace slipway::api

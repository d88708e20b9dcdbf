#include "api/inference/inference.h"

#include "api/api.h"
#include "api/inference/infer.h"
#include "api/inference/wire.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using http::Response;

constexpr http::RouteOptions kOnLoop{http::Where::on_loop, 1 << 20};
constexpr http::RouteOptions kInfer{http::Where::on_loop, inference::kRequestBytesMax};

/// A path that names no version is a path that leads nowhere.
Result<std::optional<std::int64_t>> version_of(const Request& request) {
  auto version = oip::parse_version(request.parameter("version"));
  if (!version.ok()) return Error{ErrorCode::not_found, version.error().message};
  return version;
}

Result<serving::Target> target_of(serving::Serving& serving, const Request& request) {
  return serving.target(project_of(request), request.parameter("model"), TRY(version_of(request)));
}

template <typename Render>
void answer_json(const Responder& responder, const Result<serving::Target>& target, Render render) {
  responder.send(target.ok() ? Response::json(render(*target)) : oip::error_response(target.error()));
}

/// Of one deployment, or of all of the project when the path names none.
void statistics(serving::Serving& serving, const Request& request, const Responder& responder) {
  const auto version = version_of(request);
  if (!version.ok()) return responder.send(oip::error_response(version.error()));
  const auto json = oip::statistics_json(serving, project_of(request), request.parameter("model"), *version);
  responder.send(json.ok() ? Response::json(*json) : oip::error_response(json.error()));
}

void repository_index(serving::Serving& serving, const Request& request, const Responder& responder) {
  const auto body = json_body(request);
  if (!body.ok()) return responder.send(oip::error_response(body.error()));
  responder.send(
      Response::json(oip::index_json(serving, project_of(request), (*body)["ready"].boolean().value_or(false))));
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
      Method::get, "/v2",
      [](Request&, const Responder& responder) { responder.send(Response::json(oip::server_json())); }, kOnLoop);
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
      [&serving](Request& request, const Responder& responder) { statistics(serving, request, responder); }, kOnLoop);
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

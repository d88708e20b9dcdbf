// Artifacts of runs and logged models: lists, and the proxy that clients with mlflow-artifacts: URIs talk to.
#include <fmt/format.h>

#include "api/api.h"
#include "api/mlflow/artifact_place.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"
#include "api/mlflow/trace_files.h"
#include "api/send_blob.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;
using registry::OwnerKind;

/// Everything in a folder, with the paths of the entries cut by `cut` characters.
Result<void> write_folder(const Rooms& rooms, const registry::Owner& owner, std::string_view folder,
                          std::string_view cut, JsonWriter& json) {
  std::vector<registry::ArtifactEntry> entries;
  std::string token;
  do {
    auto page = TRY(rooms.artifacts.list(owner, folder, registry::kArtifactPageMax, token));
    entries.insert(entries.end(), page.entries.begin(), page.entries.end());
    token = page.next_page_token;
  } while (!token.empty());
  write_files(json, entries, cut);
  return {};
}

Result<std::string> list_run(const Rooms& rooms, const Call& call) {
  const auto run = TRY(rooms.tracking.runs().get(call.project(), call.run()));
  TRY(check_path(call.text("path")));
  JsonWriter json;
  json.begin_object().member("root_uri", run.artifact_uri);
  TRY(write_folder(rooms, {call.project(), OwnerKind::run, run.id.text}, call.text("path"), "", json));
  json.end_object();
  return json.take();
}

Result<std::string> list_model(const Rooms& rooms, const Call& call) {
  const auto model = TRY(rooms.tracking.logged_models().get(call.project(), LoggedModelId(call.text("model_id"))));
  TRY(check_path(call.text("artifact_directory_path")));
  JsonWriter json;
  json.begin_object().member("root_uri", model.artifact_uri);
  TRY(write_folder(rooms, {call.project(), OwnerKind::logged_model, model.id.text},
                   call.text("artifact_directory_path"), "", json));
  json.end_object();
  return json.take();
}

/// Names relative to the folder, as the proxy's clients expect.
Result<std::string> list_proxy(const Rooms& rooms, const Call& call) {
  if (const auto trace = trace_place_of(call.project(), call.text("path"))) return list_trace_files(rooms, *trace);
  const Place place = TRY(place_of(call.project(), call.text("path")));
  JsonWriter json;
  json.begin_object();
  TRY(write_folder(rooms, place.owner, place.path, place.path.empty() ? "" : place.path + "/", json));
  json.end_object();
  return json.take();
}

}  // namespace

Result<void> put_artifact_body(const Rooms& rooms, const Place& place, http::BodyReader& body) {
  if (place.path.empty()) return Error{ErrorCode::invalid_argument, "an artifact needs a name below its run"};
  TRY(check_owner(rooms, place.owner));
  auto upload = TRY(rooms.store.begin_upload());
  while (true) {
    const std::string bytes = TRY(body.next());
    if (bytes.empty()) break;
    TRY(upload->write(bytes));
  }
  return rooms.artifacts.put(place.owner, place.path, TRY(upload->finish()));
}

void send_place(const Rooms& rooms, const http::Request& request, const http::Responder& responder,
                const Result<Place>& place) {
  const auto artifact =
      place.ok() ? rooms.artifacts.get(place->owner, place->path) : Result<registry::Artifact>(place.error());
  if (!artifact.ok()) return responder.send(mlflow_error(artifact.error()));
  send_artifact(request, responder, rooms.store, *artifact, true, mlflow_error);
}

namespace {

Result<Place> model_version_place(const Rooms& rooms, const http::Request& request) {
  const std::string_view name = request.query_value("name").value_or(""),
                         path = request.query_value("path").value_or("");
  const auto number = parse_i64(request.query_value("version").value_or(""));
  if (name.empty() || !number) return missing_parameter(name.empty() ? "name" : "version");
  TRY(check_path(path));
  const auto version = TRY(rooms.models.version(project_of(request), name, *number));
  return Place{{project_of(request), OwnerKind::model_version, version.id}, std::string(path)};
}

Result<void> put_proxied(const Rooms& rooms, const http::Request& request, http::BodyReader& body) {
  const std::string_view path = request.parameter("path");
  if (const auto trace = trace_place_of(project_of(request), path)) return put_trace_file(rooms, *trace, body);
  return put_artifact_body(rooms, TRY(place_of(project_of(request), path)), body);
}

void send_proxied(const Rooms& rooms, const http::Request& request, const http::Responder& responder) {
  const std::string_view path = request.parameter("path");
  if (const auto trace = trace_place_of(project_of(request), path))
    return send_trace_file(rooms, request, responder, *trace);
  send_place(rooms, request, responder, place_of(project_of(request), path));
}

Result<void> remove_proxied(const Rooms& rooms, const http::Request& request) {
  const std::string_view path = request.parameter("path");
  if (const auto trace = trace_place_of(project_of(request), path)) return remove_trace_file(rooms, *trace);
  const Place place = TRY(place_of(project_of(request), path));
  TRY(rooms.artifacts.remove(place.owner, place.path));
  return {};
}

}  // namespace

std::span<const Endpoint> artifact_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::get, "mlflow/artifacts/list", {{"run_id", FieldType::text, true}, {"path"}, {"page_token"}}, list_run},
      {Method::get,
       "mlflow/logged-models/{model_id}/artifacts/directories",
       {{"model_id", FieldType::text, true}, {"artifact_directory_path"}, {"page_token"}},
       list_model},
      {Method::get, "mlflow-artifacts/artifacts", {{"path", FieldType::text, true}}, list_proxy},
  };
  return endpoints;
}

void add_artifact_streams(http::Router& router, const Rooms& rooms, const std::string& prefix) {
  const std::string proxy = prefix + "mlflow-artifacts/artifacts/{path...}";
  router.add_streaming(Method::put, proxy,
                       [rooms](http::Request& request, http::BodyReader& body, http::Responder responder) {
                         const auto kept = put_proxied(rooms, request, body);
                         responder.send(kept.ok() ? http::Response::json("{}") : mlflow_error(kept.error()));
                       },
                       {.where = http::Where::on_pool, .body_bytes_max = UINT64_MAX});
  router.add(Method::get, proxy,
             [rooms](http::Request& request, http::Responder responder) { send_proxied(rooms, request, responder); });
  router.add(Method::del, proxy, [rooms](http::Request& request, http::Responder responder) {
    const auto removed = remove_proxied(rooms, request);
    responder.send(removed.ok() ? http::Response::json("{}") : mlflow_error(removed.error()));
  });
  if (!prefix.starts_with("/ajax-api/2.0")) return;
  // Upstream's own paths, without a version; once is enough.
  router.add(Method::get, "/get-artifact", [rooms](http::Request& request, http::Responder responder) {
    const auto run = request.query_value("run_id"), old = request.query_value("run_uuid");
    const std::string_view path = request.query_value("path").value_or("");
    if (!run && !old) return responder.send(mlflow_error(missing_parameter("run_id")));
    if (const auto good = check_path(path); !good.ok()) return responder.send(mlflow_error(good.error()));
    send_place(rooms, request, responder,
               Place{{project_of(request), OwnerKind::run, std::string(run ? *run : *old)}, std::string(path)});
  });
  router.add(Method::get, "/model-versions/get-artifact", [rooms](http::Request& request, http::Responder responder) {
    send_place(rooms, request, responder, model_version_place(rooms, request));
  });
}

}  // namespace slipway::api::mlflow

#include "api/mlflow/mlflow.h"

#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/trace_files.h"

namespace slipway::api::mlflow {
namespace {

/// The version of mlflow's server that this one stands in for; its clients decide by it what they ask for.
constexpr const char* kVersion = "3.17.2";
constexpr int kNoContent = 204;
constexpr const char* kPrefixes[] = {"/api/2.0/", "/api/3.0/", "/ajax-api/2.0/", "/ajax-api/3.0/"};

std::vector<std::span<const Endpoint>> tables() {
  return {experiment_endpoints(),   run_endpoints(),          metric_endpoints(),
          logged_model_endpoints(), model_endpoints(),        model_version_endpoints(),
          artifact_endpoints(),     transfer_endpoints(),     webhook_endpoints(),
          workspace_endpoints(),    trace_endpoints(),        old_trace_endpoints(),
          assessment_endpoints(),   trace_metric_endpoints(), evaluation_dataset_endpoints(),
          scorer_endpoints()};
}

void add(http::Router& router, const Rooms& rooms, const std::string& prefix, const Endpoint& endpoint) {
  router.add(endpoint.method, prefix + endpoint.path,
             [rooms, &endpoint](http::Request& request, http::Responder responder) {
               auto fields = read_fields(request, endpoint.fields);
               if (!fields.ok()) return responder.send(mlflow_error(fields.error()));
               auto done = endpoint.handle(rooms, Call(request, std::move(*fields)));
               if (!done.ok()) return responder.send(mlflow_error(done.error()));
               responder.send(endpoint.status == kNoContent ? http::Response::empty()
                                                            : http::Response::json(std::move(*done), endpoint.status));
             });
}

/// Uploads in parts are offered: a part that breaks is sent again alone. Downloads are not: a client would ask for a
/// URL before each file, however small, and what it fetches in one stream can go on from where it broke (Range) anyway.
void server_info(http::Request&, http::Responder responder) {
  responder.send(
      http::Response::json(R"({"store_type":"SqlStore","workspaces_enabled":true,"trace_archival_enabled":false,)"
                           R"("presigned_uploads_enabled":false,"presigned_downloads_enabled":false,)"
                           R"("multipart_uploads_enabled":true,"multipart_downloads_enabled":false,)"
                           R"("presigned_upload_run_id_supported":true,"presigned_upload_model_id_supported":true,)"
                           R"("features_enabled":{"gateway":false}})"));
}

/// Upstream's own web page asks it; nobody else does.
void no_graphql(http::Request&, http::Responder responder) {
  responder.send(mlflow_error({ErrorCode::unsupported, "GraphQL is not offered; use the REST API"}));
}

}  // namespace

void add_mlflow(http::Router& router, const Rooms& rooms) {
  using http::Method;
  for (const char* prefix : kPrefixes) {
    for (const auto table : tables()) {
      for (const Endpoint& endpoint : table) add(router, rooms, prefix, endpoint);
    }
    add_logging(router, rooms, prefix);
    add_artifact_streams(router, rooms, prefix);
    add_trace_artifact(router, rooms, prefix);
    router.add(Method::get, std::string(prefix) + "mlflow/server-info", server_info, {.where = http::Where::on_loop});
    router.add(Method::get, std::string(prefix) + "mlflow/server-features", server_info,
               {.where = http::Where::on_loop});
  }
  add_signed_transfers(router, rooms);
  for (const Method method : {Method::get, Method::post})
    router.add(method, "/graphql", no_graphql, {.where = http::Where::on_loop});
  router.add(Method::get, "/health",
             [](http::Request&, http::Responder responder) { responder.send(http::Response::text("OK")); },
             {.where = http::Where::on_loop});
  router.add(Method::get, "/version",
             [](http::Request&, http::Responder responder) { responder.send(http::Response::text(kVersion)); },
             {.where = http::Where::on_loop});
}

std::vector<EndpointFact> endpoint_facts() {
  std::vector<EndpointFact> facts = logging_facts();
  for (const char* method : {"GET", "POST"}) facts.push_back({method, "/graphql", {}, false});
  for (const auto table : tables()) {
    for (const Endpoint& endpoint : table) {
      EndpointFact fact{std::string(http::name(endpoint.method)), endpoint.path, {}, endpoint.offered};
      for (const Field& field : endpoint.fields) {
        if (field.required) fact.required.emplace_back(field.name);
      }
      facts.push_back(std::move(fact));
    }
  }
  return facts;
}

}  // namespace slipway::api::mlflow

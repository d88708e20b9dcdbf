#include "api/native/audited.h"

#include <fmt/format.h>

#include "api/api.h"
#include "base/log.h"
#include "base/text.h"
#include "catalog/companion.h"
#include "http/wrap.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;

constexpr size_t kDetailBytesMax = 300;  // of each field

/// A request and what is said of it. Fields are members of the path, else of the query, else of the body.
struct Action {
  Method method;
  const char* pattern;  // without a leading '/': of MLflow's protocol, under each of its prefixes
  const char* name;
  const char* kind;
  const char* subject;       // fields, joined by '/'
  const char* details = "";  // fields that are told with their names, separated by spaces
};

constexpr Action kActions[] = {
    {Method::del, "/api/v1/runs/{run}", "delete run", "run", "run"},
    {Method::post, "/api/v1/runs/{run}/restore", "restore run", "run", "run"},
    {Method::del, "/api/v1/runs/{run}/artifacts/content/{path...}", "delete artifact", "run", "run", "path"},
    {Method::post, "mlflow/runs/delete", "delete run", "run", "run_id"},
    {Method::post, "mlflow/runs/restore", "restore run", "run", "run_id"},
    {Method::del, "mlflow-artifacts/artifacts/{path...}", "delete artifact", "artifact", "path"},

    {Method::del, "/api/v1/experiments/{experiment}", "delete experiment", "experiment", "experiment"},
    {Method::post, "/api/v1/experiments/{experiment}/restore", "restore experiment", "experiment", "experiment"},
    {Method::post, "mlflow/experiments/delete", "delete experiment", "experiment", "experiment_id"},
    {Method::post, "mlflow/experiments/restore", "restore experiment", "experiment", "experiment_id"},

    {Method::post, "/api/v1/models", "create model", "model", "name"},
    {Method::patch, "/api/v1/models/{name}", "change model", "model", "name", "description"},
    {Method::del, "/api/v1/models/{name}", "delete model", "model", "name"},
    {Method::post, "/api/v1/models/{name}/versions", "create model version", "model", "name", "run_id source"},
    {Method::del, "/api/v1/models/{name}/versions/{version}", "delete model version", "model_version", "name/version"},
    {Method::put, "/api/v1/models/{name}/aliases/{alias}", "move alias", "model", "name", "alias version reason"},
    {Method::del, "/api/v1/models/{name}/aliases/{alias}", "remove alias", "model", "name", "alias"},
    {Method::post, "mlflow/registered-models/create", "create model", "model", "name"},
    {Method::post, "mlflow/registered-models/rename", "rename model", "model", "name", "new_name"},
    {Method::del, "mlflow/registered-models/delete", "delete model", "model", "name"},
    {Method::post, "mlflow/registered-models/alias", "move alias", "model", "name", "alias version"},
    {Method::del, "mlflow/registered-models/alias", "remove alias", "model", "name", "alias"},
    {Method::post, "mlflow/model-versions/create", "create model version", "model", "name", "run_id source"},
    {Method::del, "mlflow/model-versions/delete", "delete model version", "model_version", "name/version"},
    {Method::post, "mlflow/model-versions/transition-stage", "change stage", "model_version", "name/version", "stage"},
    {Method::del, "mlflow/logged-models/{model_id}", "delete logged model", "logged_model", "model_id"},

    {Method::del, "/api/v1/datasets/{name}", "delete dataset", "dataset", "name"},
    {Method::put, "/api/v1/datasets/{name}/branches/{branch}", "move branch", "dataset", "name", "branch commit_id"},
    {Method::del, "/api/v1/datasets/{name}/branches/{branch}", "remove branch", "dataset", "name", "branch"},
    {Method::del, "mlflow/datasets/{dataset_id}", "delete evaluation dataset", "evaluation_dataset", "dataset_id"},
    {Method::del, "mlflow/scorers/delete", "delete scorer", "scorer", "experiment_id/name"},
    {Method::post, "mlflow/traces/delete-traces", "delete traces", "experiment", "experiment_id",
     "max_timestamp_millis"},

    {Method::post, "/api/v1/deployments", "create deployment", "deployment", "name", "model"},
    {Method::patch, "/api/v1/deployments/{name}", "change deployment", "deployment", "name",
     "model state replicas batch capture"},
    {Method::post, "/api/v1/deployments/{name}/restart", "restart deployment", "deployment", "name"},
    {Method::del, "/api/v1/deployments/{name}", "delete deployment", "deployment", "name"},
    {Method::post, "/v2/repository/models/{model}/load", "start deployment", "deployment", "model"},
    {Method::post, "/v2/repository/models/{model}/unload", "stop deployment", "deployment", "model"},
    {Method::put, "/api/v1/pipelines/{pipeline}", "store pipeline", "pipeline", "pipeline"},
    {Method::patch, "/api/v1/pipelines/{pipeline}", "change pipeline", "pipeline", "pipeline", "enabled"},

    {Method::post, "mlflow/webhooks", "create webhook", "webhook", "name"},
    {Method::patch, "mlflow/webhooks/{webhook_id}", "change webhook", "webhook", "webhook_id", "name status"},
    {Method::del, "mlflow/webhooks/{webhook_id}", "delete webhook", "webhook", "webhook_id"},

    {Method::del, "/api/v1/reports/{report}", "delete report", "report", "report"},
    {Method::post, "/api/v1/reports/{report}/restore", "restore report", "report", "report"},
    {Method::del, "/api/v1/views/{view}", "delete view", "view", "view"},
    {Method::post, "/api/v1/backups", "begin backup", "server", ""},
    {Method::patch, "mlflow/workspaces/{workspace_name}", "change project", "project", "workspace_name", "description"},
};

/// The body as an object; null where it is none. Old clients send the JSON string of one.
Json body_of(const Request& request) {
  auto body = Json::parse(request.body);
  if (body.ok() && body->is_string()) body = Json::parse(body->string());
  return body.ok() && body->is_object() ? std::move(*body) : Json();
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.string() : value.render();
}

std::string field(const Request& request, const Json& body, const std::string& name) {
  if (const auto part = request.parameter(name); !part.empty()) return std::string(part);
  if (const auto given = request.query_value(name); given && !given->empty()) return std::string(*given);
  if (name == "run_id" && body[name].is_null()) return text_of(body["run_uuid"]);  // as old clients call it
  return text_of(body[name]);
}

AuditLine line_of(const Action& action, const Request& request) {
  const Caller caller = caller_of(request);
  const Json body = body_of(request);
  AuditLine line{caller.member, action.name, action.kind, "", "", project_of(request), ""};
  for (const std::string& name : split(action.subject, '/')) {
    if (!line.subject.empty()) line.subject += "/";
    line.subject += clean_utf8(field(request, body, name), kDetailBytesMax);
  }
  // A deployment that is not named is called as its model.
  if (line.subject.empty() && line.kind == "deployment") line.subject = clean_utf8(text_of(body["model"]), 100);
  for (const std::string& name : split(action.details, ' ')) {
    const std::string value = name.empty() ? "" : field(request, body, name);
    if (value.empty()) continue;
    if (!line.details.empty()) line.details += ", ";
    line.details += name + " " + clean_utf8(value, kDetailBytesMax);
  }
  if (caller.run) line.details += (line.details.empty() ? "by run " : ", by run ") + caller.run->text;
  return line;
}

http::Response carry_out(teams::Teams& teams, const Action& action, const http::Handler& handler, Request& request) {
  AuditLine line = line_of(action, request);
  line.id = teams.new_audit_id();
  http::Response answer;
  {
    const catalog::WriteCompanion companion([&teams, line](catalog::Connection& c) { return teams.audit(c, line); });
    answer = http::answer_of(handler, request);
  }
  if (answer.status >= 400) return answer;
  // It is there already, unless all writing was left to other threads.
  if (const auto added = teams.audit(line); !added.ok())
    log_warning("api", "a line of the audit trail could not be written",
                {{"action", line.action}, {"subject", line.subject}, {"error", added.error().message}});
  return answer;
}

}  // namespace

void audit_actions(http::Router& router, teams::Teams& teams) {
  for (const Action& action : kActions) {
    const auto around = [&](http::Handler handler) -> http::Handler {
      return [&teams, &action, handler = std::move(handler)](Request& request, const http::Responder& responder) {
        responder.send(carry_out(teams, action, handler, request));
      };
    };
    if (action.pattern[0] == '/') {
      http::wrap(router, action.method, action.pattern, around);
      continue;
    }
    for (const char* prefix : {"/api/2.0/", "/api/3.0/", "/ajax-api/2.0/", "/ajax-api/3.0/"})
      http::wrap(router, action.method, std::string(prefix) + action.pattern, around);
  }
}

}  // namespace slipway::api

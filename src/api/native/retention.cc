#include "api/native/retention.h"

#include "api/api.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using retention::Choice;
using retention::Keeper;
using retention::ProjectRules;
using retention::UsageReport;

Result<void> check_admin(const Request& request) {
  if (caller_of(request).admin) return {};
  return Error{ErrorCode::permission_denied, "only an admin may set or apply retention rules; ask one of yours"};
}

Json rules_json(const ProjectRules& rules) {
  Json::Array sentences;
  for (const retention::Rule& rule : rules.rules) sentences.emplace_back(retention::describe(rule));
  Json json;
  json.set("rules", retention::to_json(rules.rules)).set("sentences", std::move(sentences));
  json.set("member", rules.member.empty() ? Json() : Json(rules.member));
  return json.set("updated_at", time_json(rules.updated_at)).set("applied_at", time_json(rules.applied_at));
}

Json choice_json(const Choice& choice) {
  Json::Array runs;
  for (const retention::Chosen& run : choice.runs) {
    Json json;
    json.set("id", run.id.text).set("name", run.name).set("experiment_name", run.experiment_name);
    runs.push_back(json.set("deletes", name(run.deletes)).set("bytes", run.bytes));
  }
  Json json;
  json.set("runs", std::move(runs)).set("run_count", choice.run_count).set("bytes", choice.bytes);
  return json.set("needed_count", choice.needed_count).set("looked_at", choice.looked_at);
}

Result<std::vector<retention::Rule>> rules_of(const Json& body) {
  if (!body.find("rules")) return Error{ErrorCode::invalid_argument, "'rules' is missing from the request"};
  return retention::parse_rules(body["rules"]);
}

Result<Json> get(Keeper& keeper, const Request& request) { return rules_json(TRY(keeper.rules(project_of(request)))); }

Result<Json> set(Keeper& keeper, const Request& request) {
  TRY(check_admin(request));
  const Caller caller = caller_of(request);
  return rules_json(
      TRY(keeper.set(project_of(request), TRY(rules_of(TRY(json_body(request)))), caller.member.text, caller.name)));
}

/// Of the rules that are sent along, or of those that are set.
Result<Json> preview(Keeper& keeper, const Request& request) {
  const ProjectId project = project_of(request);
  const Json body = TRY(json_body(request));
  std::vector<retention::Rule> rules;
  if (body.find("rules")) {
    rules = TRY(rules_of(body));
  } else {
    rules = TRY(keeper.rules(project)).rules;
  }
  return choice_json(TRY(keeper.preview(project, rules)));
}

Result<Json> apply(Keeper& keeper, const Request& request) {
  TRY(check_admin(request));
  return choice_json(TRY(keeper.apply(project_of(request))));
}

// --- usage ---------------------------------------------------------------------------------------------------------

Json line_json(const retention::UsageLine& line) {
  Json json;
  json.set("name", line.name).set("run_count", line.runs).set("bytes", line.bytes.total());
  json.set("artifact_bytes", line.bytes.artifacts).set("point_bytes", line.bytes.points);
  return json.set("log_bytes", line.bytes.logs);
}

Json usage_json(const UsageReport& report) {
  Json::Array kinds, experiments, users;
  const auto kind = [&](const char* what, std::int64_t bytes) {
    kinds.push_back(Json().set("kind", what).set("bytes", bytes));
  };
  kind("artifacts", report.artifacts);
  kind("points", report.points);
  kind("logs", report.logs);
  kind("datasets", report.datasets);
  kind("traces", report.traces);
  for (const auto& line : report.experiments) experiments.push_back(line_json(line).set("id", line.id));
  for (const auto& line : report.users) users.push_back(line_json(line));
  Json json;
  json.set("bytes", report.total()).set("kinds", std::move(kinds)).set("shared_bytes", report.shared);
  json.set("deleted_bytes", report.deleted).set("run_count", report.runs).set("waiting_run_count", report.waiting);
  return json.set("experiments", std::move(experiments)).set("users", std::move(users));
}

}  // namespace

void add_retention(http::Router& router, Keeper& keeper, retention::Usage& usage) {
  using Function = Result<Json> (*)(Keeper&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function) {
    router.add(method, pattern, [&keeper, function](Request& request, Responder responder) {
      answer(responder, function(keeper, request),
             [](const Json& json) { return http::Response::json(json.render()); });
    });
  };
  add(Method::get, "/api/v1/retention", get);
  add(Method::put, "/api/v1/retention", set);
  add(Method::post, "/api/v1/retention/preview", preview);
  add(Method::post, "/api/v1/retention/apply", apply);
  router.add(Method::get, "/api/v1/usage/bytes", [&usage](Request& request, Responder responder) {
    answer(responder, usage.report(project_of(request)),
           [](const UsageReport& report) { return http::Response::json(usage_json(report).render()); });
  });
}

}  // namespace slipway::api

#include "api/native/deployments.h"

#include <algorithm>
#include <cmath>

#include "api/api.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using serving::Deployment;
using serving::DeploymentChange;

constexpr std::int64_t kMinutesDefault = 60;

Json revision_json(const serving::Revision& revision) {
  Json json;
  json.set("id", revision.id.text).set("number", revision.number).set("model", revision.model).set("version", revision.version);
  json.set("state", std::string(serving::name(revision.state))).set("message", revision.message);
  json.set("member", revision.member.empty() ? Json() : Json(revision.member)).set("reason", revision.reason);
  return json.set("created_at", time_json(revision.created_at));
}

Json replica_json(const serving::ReplicaView& replica) {
  Json json;
  json.set("id", replica.id.text).set("version", replica.version).set("state", replica.state).set("pid", replica.pid);
  return json.set("memory_bytes", replica.memory_bytes).set("started_at", time_json(replica.started_at));
}

Json traffic_json(const serving::TrafficTotals& traffic) {
  Json json;
  json.set("requests_total", traffic.requests).set("errors_total", traffic.errors).set("per_s", traffic.per_s);
  return json.set("p50_ms", traffic.p50_ms).set("p99_ms", traffic.p99_ms);
}

}  // namespace

Json deployment_json(const Deployment& deployment) {
  const serving::DeploymentSpec& spec = deployment.spec;
  Json json;
  json.set("id", deployment.id.text).set("name", spec.name).set("model", spec.model.name).set("reference", render(spec.model));
  json.set("version", deployment.version > 0 ? Json(deployment.version) : Json()).set("alias", spec.model.at.empty() ? Json() : Json(spec.model.at));
  json.set("state", std::string(serving::name(deployment.state))).set("endpoint", "/v2/models/" + spec.name);
  json.set("replicas", Json().set("min", spec.replicas_min).set("max", spec.replicas_max).set("ready", deployment.replicas_ready));
  json.set("batch", Json().set("max", spec.batch_max).set("delay_ms", static_cast<double>(spec.batch_delay.count()) / 1000));
  json.set("capture", spec.capture).set("traffic", traffic_json(deployment.traffic)).set("waiting", deployment.waiting);
  Json::Array revisions, workers;
  for (const serving::Revision& revision : deployment.revisions) revisions.push_back(revision_json(revision));
  for (const serving::ReplicaView& replica : deployment.replicas) workers.push_back(replica_json(replica));
  json.set("revisions", std::move(revisions)).set("workers", std::move(workers)).set("memory_bytes", deployment.memory_bytes);
  json.set("created_by", deployment.created_by).set("created_at", time_json(deployment.created_at));
  return json.set("message", deployment.message);
}

namespace {

Result<Reference> model_of(const Json& body) {
  const std::string text = TRY(required_string(body, "model"));
  // "digits" alone means what production points to, the way people say it.
  if (text.find(':') == std::string::npos) return parse_reference(text.find('@') == std::string::npos && text.find('/') == std::string::npos ? "model:" + text + "@production" : "model:" + text);
  return parse_reference(text);
}

Result<int> small_integer(const Json& object, std::string_view key, std::int64_t otherwise) {
  const std::int64_t value = TRY(optional_integer(object, key, otherwise));
  if (value < -1'000'000 || value > 1'000'000) return Error{ErrorCode::invalid_argument, "'" + std::string(key) + "' is out of range"};
  return static_cast<int>(value);
}

Result<void> check_object(const Json& json, const char* key, const std::vector<std::string>& known) {
  if (json.is_null()) return {};
  if (!json.is_object()) return Error{ErrorCode::invalid_argument, std::string("'") + key + "' must be an object with " + join(known, ", ")};
  for (const auto& [member, value] : json.object()) {
    if (std::ranges::find(known, member) != known.end()) continue;
    const auto near = nearest(member, known);
    return Error{ErrorCode::invalid_argument, std::string("unknown key '") + clean_utf8(member, 60) + "' in '" + key + "'" + (near ? "; did you mean '" + *near + "'?" : "; known are " + join(known, ", "))};
  }
  return {};
}

Result<DeploymentChange> change_of(const Json& body) {
  DeploymentChange change;
  if (!body["model"].is_null()) change.model = TRY(model_of(body));
  const Json& replicas = body["replicas"];
  if (const auto fixed = replicas.integer()) {
    change.replicas_min = change.replicas_max = static_cast<int>(std::clamp<std::int64_t>(*fixed, -1, 1'000'000));
  } else {
    TRY(check_object(replicas, "replicas", {"min", "max", "ready"}));
    if (!replicas["min"].is_null()) change.replicas_min = TRY(small_integer(replicas, "min", 1));
    if (!replicas["max"].is_null()) change.replicas_max = TRY(small_integer(replicas, "max", 1));
  }
  const Json& batch = body["batch"];
  TRY(check_object(batch, "batch", {"max", "delay_ms"}));
  if (!batch["max"].is_null()) change.batch_max = TRY(small_integer(batch, "max", 1));
  if (!batch["delay_ms"].is_null()) {
    const double delay_ms = TRY(optional_number(batch, "delay_ms", 0));
    if (!(delay_ms >= 0 && delay_ms <= 1e6)) return Error{ErrorCode::invalid_argument, "'delay_ms' must be a number of milliseconds"};
    change.batch_delay = Duration(std::llround(delay_ms * 1000));
  }
  if (!body["capture"].is_null()) change.capture = body["capture"];
  if (!body["state"].is_null()) {
    const std::string state = TRY(required_string(body, "state"));
    if (state != "stopped" && state != "running" && state != "ready") return Error{ErrorCode::invalid_argument, "'state' can be set to stopped or running; found '" + clean_utf8(state, 40) + "'"};
    change.running = state != "stopped";
  }
  return change;
}

Result<Deployment> create(serving::Serving& serving, const Request& request) {
  const Json body = TRY(json_body(request));
  TRY(check_object(body, "deployment", {"name", "model", "replicas", "batch", "capture"}));
  serving::DeploymentSpec spec;
  spec.model = TRY(model_of(body));
  spec.name = TRY(optional_string(body, "name", spec.model.name));
  const DeploymentChange change = TRY(change_of(body));
  spec.replicas_min = change.replicas_min.value_or(1);
  spec.replicas_max = change.replicas_max.value_or(std::max(1, spec.replicas_min));
  spec.batch_max = change.batch_max.value_or(1);
  spec.batch_delay = change.batch_delay.value_or(Duration(0));
  if (change.capture) spec.capture = *change.capture;
  return serving.create(project_of(request), spec, caller_of(request).name);
}

Result<Deployment> update(serving::Serving& serving, const Request& request) {
  const Json body = TRY(json_body(request));
  TRY(check_object(body, "deployment", {"model", "replicas", "batch", "capture", "state"}));
  return serving.update(project_of(request), request.parameter("name"), TRY(change_of(body)), caller_of(request).name);
}

/// By name; a page token is the last name of the page before.
Result<Json> list(serving::Serving& serving, const Request& request) {
  const Page page = TRY(page_of(request));
  Json::Array items;
  Json next;
  for (const Deployment& deployment : TRY(serving.list(project_of(request)))) {
    if (!page.token.empty() && deployment.spec.name <= page.token) continue;
    if (static_cast<int>(items.size()) == page.size) {
      next = items.back()["name"];
      break;
    }
    items.push_back(deployment_json(deployment));
  }
  return Json().set("deployments", std::move(items)).set("next_page_token", next);
}

Result<Json> traffic(serving::Serving& serving, const Request& request) {
  const auto text = request.query_value("minutes");
  const auto minutes = text ? parse_i64(*text) : std::optional(kMinutesDefault);
  if (!minutes || *minutes < 1 || *minutes > static_cast<std::int64_t>(serving::Traffic::kMinutesKept)) return Error{ErrorCode::invalid_argument, "'minutes' must be 1 to " + std::to_string(serving::Traffic::kMinutesKept)};
  Json::Array rows;
  for (const serving::TrafficMinute& minute : TRY(serving.traffic(project_of(request), request.parameter("name"), static_cast<size_t>(*minutes)))) {
    Json row;
    row.set("at", time_json(minute.at)).set("requests", minute.requests).set("errors", minute.errors).set("p50_ms", minute.p50_ms).set("p99_ms", minute.p99_ms);
    rows.push_back(row.set("confidence_mean", std::isnan(minute.confidence_mean) ? Json() : Json(minute.confidence_mean)));
  }
  return Json().set("minutes", std::move(rows));
}

http::Response ok(const Json& json) { return http::Response::json(json.render()); }
http::Response created(const Deployment& deployment) { return http::Response::json(deployment_json(deployment).render(), 201); }
http::Response shown(const Deployment& deployment) { return ok(deployment_json(deployment)); }

Result<Json> remove(serving::Serving& serving, const Request& request) {
  TRY(serving.remove(project_of(request), request.parameter("name")));
  return Json(Json::Object{});
}

}  // namespace

void add_deployments(http::Router& router, serving::Serving& serving) {
  const std::string all = "/api/v1/deployments", one = all + "/{name}";
  router.add(Method::get, all, [&serving](Request& request, const Responder& responder) { answer(responder, list(serving, request), ok); });
  router.add(Method::post, all, [&serving](Request& request, const Responder& responder) { answer(responder, create(serving, request), created); });
  router.add(Method::get, one, [&serving](Request& request, const Responder& responder) { answer(responder, serving.get(project_of(request), request.parameter("name")), shown); });
  router.add(Method::patch, one, [&serving](Request& request, const Responder& responder) { answer(responder, update(serving, request), shown); });
  router.add(Method::del, one, [&serving](Request& request, const Responder& responder) { answer(responder, remove(serving, request), ok); });
  router.add(Method::post, one + "/restart", [&serving](Request& request, const Responder& responder) { answer(responder, serving.restart(project_of(request), request.parameter("name"), caller_of(request).name), shown); });
  router.add(Method::get, one + "/traffic", [&serving](Request& request, const Responder& responder) { answer(responder, traffic(serving, request), ok); });
}

}  // namespace slipway::api

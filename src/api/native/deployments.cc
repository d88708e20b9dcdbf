#include "api/native/deployments.h"

#include <algorithm>
#include <cmath>
#include <optional>

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

struct Rooms {
  serving::Serving& serving;
  monitor::Monitor& monitor;
};

Json revision_json(const serving::Revision& revision) {
  Json json;
  json.set("id", revision.id.text)
      .set("number", revision.number)
      .set("model", revision.model)
      .set("version", revision.version);
  json.set("state", std::string(serving::name(revision.state))).set("message", revision.message);
  json.set("member", revision.member.empty() ? Json() : Json(revision.member)).set("reason", revision.reason);
  return json.set("created_at", time_json(revision.created_at));
}

Json replica_json(const serving::ReplicaView& replica) {
  Json json;
  json.set("id", replica.id.text).set("version", replica.version).set("state", replica.state).set("pid", replica.pid);
  return json.set("memory_bytes", replica.memory_bytes).set("started_at", time_json(replica.started_at));
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json totals_json(const monitor::TrafficTotals& traffic) {
  Json json;
  json.set("requests_total", traffic.requests).set("errors_total", traffic.errors).set("per_s", traffic.per_s);
  return json.set("p50_ms", number_or_null(traffic.p50_ms)).set("p99_ms", number_or_null(traffic.p99_ms));
}

Json span_json(const monitor::TrafficSpan& span) {
  Json json;
  json.set("at", time_json(span.at)).set("requests", span.requests).set("errors", span.errors);
  return json.set("p50_ms", number_or_null(span.p50_ms))
      .set("p99_ms", number_or_null(span.p99_ms))
      .set("confidence_mean", number_or_null(span.confidence_mean));
}

}  // namespace

Json deployment_json(const Deployment& deployment, const monitor::TrafficTotals& traffic) {
  const serving::DeploymentSpec& spec = deployment.spec;
  Json json;
  json.set("id", deployment.id.text)
      .set("name", spec.name)
      .set("model", spec.model.name)
      .set("reference", render(spec.model));
  json.set("version", deployment.version > 0 ? Json(deployment.version) : Json())
      .set("alias", spec.model.at.empty() ? Json() : Json(spec.model.at));
  json.set("state", std::string(serving::name(deployment.state))).set("endpoint", "/v2/models/" + spec.name);
  json.set("replicas",
           Json().set("min", spec.replicas_min).set("max", spec.replicas_max).set("ready", deployment.replicas_ready));
  json.set("batch",
           Json().set("max", spec.batch_max).set("delay_ms", static_cast<double>(spec.batch_delay.count()) / 1000));
  json.set("capture", spec.capture).set("traffic", totals_json(traffic)).set("waiting", deployment.waiting);
  Json::Array revisions, workers;
  for (const serving::Revision& revision : deployment.revisions) revisions.push_back(revision_json(revision));
  for (const serving::ReplicaView& replica : deployment.replicas) workers.push_back(replica_json(replica));
  json.set("revisions", std::move(revisions))
      .set("workers", std::move(workers))
      .set("memory_bytes", deployment.memory_bytes);
  json.set("created_by", deployment.created_by).set("created_at", time_json(deployment.created_at));
  return json.set("message", deployment.message);
}

namespace {

Result<Reference> model_of(const Json& body) {
  const std::string text = TRY(required_string(body, "model"));
  // "digits" alone means what production points to, the way people say it.
  if (text.find(':') == std::string::npos)
    return parse_reference(text.find('@') == std::string::npos && text.find('/') == std::string::npos
                               ? "model:" + text + "@production"
                               : "model:" + text);
  return parse_reference(text);
}

Result<int> small_integer(const Json& object, std::string_view key, std::int64_t otherwise) {
  const std::int64_t value = TRY(optional_integer(object, key, otherwise));
  if (value < -1'000'000 || value > 1'000'000)
    return Error{ErrorCode::invalid_argument, "'" + std::string(key) + "' is out of range"};
  return static_cast<int>(value);
}

Result<void> check_object(const Json& json, const char* key, const std::vector<std::string>& known) {
  if (json.is_null()) return {};
  if (!json.is_object())
    return Error{ErrorCode::invalid_argument, std::string("'") + key + "' must be an object with " + join(known, ", ")};
  for (const auto& [member, value] : json.object()) {
    if (std::ranges::find(known, member) != known.end()) continue;
    const auto near = nearest(member, known);
    return Error{ErrorCode::invalid_argument,
                 std::string("unknown key '") + clean_utf8(member, 60) + "' in '" + key + "'" +
                     (near ? "; did you mean '" + *near + "'?" : "; known are " + join(known, ", "))};
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
    if (!(delay_ms >= 0 && delay_ms <= 1e6))
      return Error{ErrorCode::invalid_argument, "'delay_ms' must be a number of milliseconds"};
    change.batch_delay = Duration(std::llround(delay_ms * 1000));
  }
  if (!body["capture"].is_null()) change.capture = body["capture"];
  if (!body["state"].is_null()) {
    const std::string state = TRY(required_string(body, "state"));
    if (state != "stopped" && state != "running" && state != "ready")
      return Error{ErrorCode::invalid_argument,
                   "'state' can be set to stopped or running; found '" + clean_utf8(state, 40) + "'"};
    change.running = state != "stopped";
  }
  return change;
}

/// The rules are the monitor's business; whoever sets them should hear at once what is wrong with them.
Result<void> check_capture(const DeploymentChange& change) {
  if (change.capture) TRY(monitor::parse_capture(*change.capture));
  return {};
}

Result<Json> shown(const Rooms& rooms, const Request& request, const Result<Deployment>& deployment) {
  if (!deployment.ok()) return deployment.error();
  return deployment_json(*deployment, TRY(rooms.monitor.traffic().totals(project_of(request), deployment->spec.name)));
}

Result<Json> create(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  TRY(check_object(body, "deployment", {"name", "model", "replicas", "batch", "capture"}));
  serving::DeploymentSpec spec;
  spec.model = TRY(model_of(body));
  spec.name = TRY(optional_string(body, "name", spec.model.name));
  const DeploymentChange change = TRY(change_of(body));
  TRY(check_capture(change));
  spec.replicas_min = change.replicas_min.value_or(1);
  spec.replicas_max = change.replicas_max.value_or(std::max(1, spec.replicas_min));
  spec.batch_max = change.batch_max.value_or(1);
  spec.batch_delay = change.batch_delay.value_or(Duration(0));
  if (change.capture) spec.capture = *change.capture;
  return shown(rooms, request, rooms.serving.create(project_of(request), spec, caller_of(request).name));
}

Result<Json> update(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  TRY(check_object(body, "deployment", {"model", "replicas", "batch", "capture", "state"}));
  const DeploymentChange change = TRY(change_of(body));
  TRY(check_capture(change));
  return shown(rooms, request,
               rooms.serving.update(project_of(request), request.parameter("name"), change, caller_of(request).name));
}

Result<Json> get(const Rooms& rooms, const Request& request) {
  return shown(rooms, request, rooms.serving.get(project_of(request), request.parameter("name")));
}

Result<Json> restart(const Rooms& rooms, const Request& request) {
  return shown(rooms, request,
               rooms.serving.restart(project_of(request), request.parameter("name"), caller_of(request).name));
}

/// By name; a page token is the last name of the page before.
Result<Json> list(const Rooms& rooms, const Request& request) {
  const Page page = TRY(page_of(request));
  Json::Array items;
  Json next;
  for (const Deployment& deployment : TRY(rooms.serving.list(project_of(request)))) {
    if (!page.token.empty() && deployment.spec.name <= page.token) continue;
    if (static_cast<int>(items.size()) == page.size) {
      next = items.back()["name"];
      break;
    }
    items.push_back(TRY(shown(rooms, request, deployment)));
  }
  return Json().set("deployments", std::move(items)).set("next_page_token", next);
}

Result<int> whole_number(const Request& request, const char* key, std::int64_t otherwise, std::int64_t most) {
  const auto text = request.query_value(key);
  const auto value = text ? parse_i64(*text) : std::optional(otherwise);
  if (!value || *value < 1 || *value > most)
    return Error{ErrorCode::invalid_argument, std::string("'") + key + "' must be 1 to " + std::to_string(most)};
  return static_cast<int>(*value);
}

Result<Json> traffic(const Rooms& rooms, const Request& request) {
  const int minutes = TRY(whole_number(request, "minutes", kMinutesDefault, monitor::kTrafficMinutesMax));
  const int step = TRY(whole_number(request, "step", 1, monitor::kTrafficStepMax));
  const auto deployment = TRY(rooms.serving.get(project_of(request), request.parameter("name")));
  Json::Array spans;
  for (const auto& span : TRY(rooms.monitor.traffic().spans(project_of(request), deployment.spec.name, minutes, step)))
    spans.push_back(span_json(span));
  return Json().set("step_minutes", step).set("minutes", std::move(spans));
}

Result<Json> remove(const Rooms& rooms, const Request& request) {
  TRY(rooms.serving.remove(project_of(request), request.parameter("name")));
  return Json(Json::Object{});
}

}  // namespace

void add_deployments(http::Router& router, serving::Serving& serving, monitor::Monitor& monitor) {
  const Rooms rooms{serving, monitor};
  using Function = Result<Json> (*)(const Rooms&, const Request&);
  const auto add = [&](Method method, const std::string& pattern, Function function, int status = 200) {
    router.add(method, pattern, [rooms, function, status](Request& request, const Responder& responder) {
      answer(responder, function(rooms, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  const std::string all = "/api/v1/deployments", one = all + "/{name}";
  add(Method::get, all, list);
  add(Method::post, all, create, 201);
  add(Method::get, one, get);
  add(Method::patch, one, update);
  add(Method::del, one, remove);
  add(Method::post, one + "/restart", restart);
  add(Method::get, one + "/traffic", traffic);
}

}  // namespace slipway::api

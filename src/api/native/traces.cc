#include "api/native/traces.h"

#include <algorithm>

#include "api/api.h"
#include "api/native/filter_query.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::Trace;
using tracking::Tracking;

constexpr std::int64_t kNanosPerMicro = 1000;
constexpr size_t kNameCharactersMax = 250;

TraceId id_of(const Request& request) { return TraceId(request.parameter("trace")); }

Json pairs_json(const tracking::KeyValues& pairs) {
  Json json{Json::Object{}};
  for (const auto& [key, value] : pairs) json.set(key, value);
  return json;
}

Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

std::string value_of(const tracking::KeyValues& pairs, std::string_view key) {
  for (const auto& [known, value] : pairs) {
    if (known == key) return value;
  }
  return "";
}

Json assessment_json(const Assessment& assessment) {
  Json json;
  json.set("id", assessment.id.text).set("kind", name(assessment.kind)).set("name", assessment.name);
  json.set("value", assessment.value).set("error", assessment.error).set("rationale", or_null(assessment.rationale));
  json.set("source", Json().set("type", assessment.source_type).set("id", assessment.source_id));
  json.set("span", or_null(assessment.span)).set("metadata", Json(assessment.metadata)).set("valid", assessment.valid);
  return json.set("created_at", time_json(assessment.created_at)).set("updated_at", time_json(assessment.updated_at));
}

Json trace_json(const Trace& trace) {
  Json::Array assessments;
  for (const Assessment& assessment : trace.assessments) assessments.push_back(assessment_json(assessment));
  Json json;
  json.set("id", trace.id.text).set("experiment", trace.experiment.text);
  json.set("name", value_of(trace.tags, tracking::kTraceNameTag)).set("state", lower(name(trace.state)));
  json.set("started_at", time_json(trace.started_at));
  json.set("duration_ms", trace.duration ? Json(static_cast<double>(trace.duration->count()) / 1000) : Json());
  json.set("request_preview", or_null(trace.request_preview)).set("response_preview", or_null(trace.response_preview));
  json.set("client_request_id", or_null(trace.client_request_id));
  json.set("tags", pairs_json(trace.tags)).set("metadata", pairs_json(trace.metadata));
  return json.set("assessments", std::move(assessments));
}

Json event_json(const SpanEvent& event, std::int64_t began_ns) {
  return Json()
      .set("name", event.name)
      .set("offset_us", (event.at_ns - began_ns) / kNanosPerMicro)
      .set("attributes", Json(event.attributes));
}

Json span_json(const Span& span, std::int64_t began_ns) {
  Json::Array events, links;
  for (const SpanEvent& event : span.events) events.push_back(event_json(event, began_ns));
  for (const SpanLink& link : span.links)
    links.push_back(Json().set("trace", std::string(kTraceIdPrefix) + link.trace).set("span", link.span));
  Json json;
  json.set("id", span.id).set("parent", span.is_root() ? Json() : Json(span.parent)).set("name", span.name);
  json.set("type", span_type(span)).set("status", lower(name(span.status))).set("status_message", span.status_message);
  json.set("offset_us", (span.started_ns - began_ns) / kNanosPerMicro);
  json.set("duration_us", span.ended_ns ? Json((span.ended_ns - span.started_ns) / kNanosPerMicro) : Json());
  json.set("attributes", Json(span.attributes)).set("events", std::move(events));
  return json.set("links", std::move(links));
}

Result<Json> list_json(Tracking& tracking, tracking::TraceQuery& query, const Request& request) {
  const Page page = TRY(page_of(request));
  query.page_size = static_cast<size_t>(page.size);
  query.page_token = page.token;
  query.order = TRY(order_of(request));
  const auto found = TRY(tracking.traces().search(query));
  Json::Array items;
  for (const Trace& trace : found.items) items.push_back(trace_json(trace));
  return Json()
      .set("traces", std::move(items))
      .set("next_page_token", found.next_page_token ? Json(*found.next_page_token) : Json());
}

void list(Tracking& tracking, const Request& request, const Responder& responder) {
  tracking::TraceQuery query{.project = project_of(request), .all_experiments = true};
  if (const auto experiment = request.query_value("experiment"); experiment && !experiment->empty()) {
    query.all_experiments = false;
    query.experiments.emplace_back(*experiment);
  }
  if (auto refused = read_pattern_filter(request, query.filter)) return responder.send(std::move(*refused));
  answer(responder, list_json(tracking, query, request),
         [](const Json& json) { return http::Response::json(json.render()); });
}

Result<Json> get(Tracking& tracking, const Request& request) {
  const Trace trace = TRY(tracking.traces().get(project_of(request), id_of(request)));
  const auto spans = TRY(tracking.traces().spans(trace));
  std::int64_t began_ns = trace.started_at.micros * kNanosPerMicro;
  for (const Span& span : spans) began_ns = std::min(began_ns, span.started_ns);
  Json::Array items;
  for (const Span& span : spans) items.push_back(span_json(span, began_ns));
  return trace_json(trace).set("spans", std::move(items));
}

Result<Json> assess(Tracking& tracking, const Request& request) {
  const Json body = TRY(json_body(request));
  Assessment assessment;
  assessment.trace = id_of(request);
  assessment.name = TRY(required_string(body, "name"));
  if (assessment.name.empty() || assessment.name.size() > kNameCharactersMax)
    return Error{ErrorCode::invalid_argument, "'name' must have 1 to " + std::to_string(kNameCharactersMax) + " bytes"};
  const std::string kind = TRY(optional_string(body, "kind", "feedback"));
  if (kind != "feedback" && kind != "expectation")
    return Error{ErrorCode::invalid_argument,
                 "'kind' is '" + clean_utf8(kind, 40) + "'; expected feedback or expectation"};
  assessment.kind = *parse_assessment_kind(kind);
  if (body["value"].is_null()) return Error{ErrorCode::invalid_argument, "'value' is missing; expected any JSON value"};
  assessment.value = body["value"];
  assessment.source_type = "HUMAN";
  assessment.source_id = caller_of(request).name;
  const std::string rationale = TRY(optional_string(body, "rationale"));
  if (!rationale.empty()) assessment.rationale = rationale;
  return assessment_json(TRY(tracking.traces().assess(project_of(request), std::move(assessment))));
}

Result<Json> remove_assessment(Tracking& tracking, const Request& request) {
  TRY(tracking.traces().delete_assessment(project_of(request), id_of(request),
                                          AssessmentId(request.parameter("assessment"))));
  return Json(Json::Object{});
}

Result<Json> remove(Tracking& tracking, const Request& request) {
  const Trace trace = TRY(tracking.traces().get(project_of(request), id_of(request)));
  TRY(tracking.traces().remove(project_of(request), {.experiment = trace.experiment, .ids = {trace.id}}));
  return Json(Json::Object{});
}

using Handle = Result<Json> (*)(Tracking&, const Request&);

void add(http::Router& router, Tracking& tracking, Method method, const char* path, Handle handle, int status = 200) {
  router.add(method, path, [&tracking, handle, status](Request& request, Responder responder) {
    answer(responder, handle(tracking, request),
           [status](const Json& json) { return http::Response::json(json.render(), status); });
  });
}

}  // namespace

void add_traces(http::Router& router, Tracking& tracking) {
  router.add(Method::get, "/api/v1/traces",
             [&tracking](Request& request, Responder responder) { list(tracking, request, responder); });
  add(router, tracking, Method::get, "/api/v1/traces/{trace}", get);
  add(router, tracking, Method::del, "/api/v1/traces/{trace}", remove);
  add(router, tracking, Method::post, "/api/v1/traces/{trace}/assessments", assess, 201);
  add(router, tracking, Method::del, "/api/v1/traces/{trace}/assessments/{assessment}", remove_assessment);
}

}  // namespace slipway::api

#include "api/native/monitor.h"

#include <fmt/format.h>

#include <cmath>

#include "api/api.h"
#include "api/native/filter_query.h"
#include "api/native/send_cases.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using monitor::Case;
using monitor::Finding;
using monitor::Monitor;

constexpr size_t kFindingsMax = 1000;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json statistics_json(const TensorStatistics& figures) {
  Json json{Json::Object{}};
  json.set("input_mean", number(figures.input_mean)).set("input_deviation", number(figures.input_deviation));
  json.set("confidence", number(figures.confidence)).set("margin", number(figures.margin));
  return json.set("predicted_class", figures.predicted_class < 0 ? Json() : Json(figures.predicted_class));
}

Json case_json(const Case& c) {
  Json feedback{Json::Object{}};
  feedback.set("correct", c.correct ? Json(*c.correct) : Json())
      .set("label", c.label.empty() ? Json() : Json(c.label))
      .set("comment", c.comment);
  Json json{Json::Object{}};
  json.set("id", c.id.text)
      .set("deployment", c.deployment)
      .set("answer_id", c.answer.text)
      .set("model", c.model)
      .set("version", c.version)
      .set("at", time_json(c.at));
  json.set("reason", name(c.reason))
      .set("state", name(c.state))
      .set("label", c.label.empty() ? Json() : Json(c.label))
      .set("feedback", std::move(feedback));
  json.set("prediction", c.prediction)
      .set("confidence", c.confidence ? Json(*c.confidence) : Json())
      .set("error", c.error);
  json.set("input_hash", c.body ? Json(render(*c.body)) : Json())
      .set("input_bytes", c.body_bytes)
      .set("media_type", c.media_type)
      .set("stats", statistics_json(c.statistics));
  json.set("target_hash", c.target ? Json(render(*c.target)) : Json()).set("target_bytes", c.target_bytes);
  return json.set("slice", c.slice.empty() ? Json() : Json(c.slice))
      .set("dataset_commit", c.commit.empty() ? Json() : Json(c.commit));
}

std::string query_text(const http::Request& request, std::string_view key) {
  return std::string(request.query_value(key).value_or(""));
}

/// The query of a list request, without its filter.
Result<monitor::CaseQuery> case_query(const http::Request& request) {
  const Page page = TRY(page_of(request));
  const std::string state = query_text(request, "state");
  if (!state.empty() && !monitor::parse_case_state(state)) {
    return Error{ErrorCode::invalid_argument,
                 "'state' is '" + clean_utf8(state, 40) + "'; expected open, labelled, sent, held_out or dismissed"};
  }
  return monitor::CaseQuery{project_of(request),          query_text(request, "deployment"), state,
                            query_text(request, "slice"), static_cast<size_t>(page.size),    page.token};
}

Json page_json(const monitor::CasePage& page) {
  Json::Array items;
  for (const Case& c : page.cases) items.push_back(case_json(c));
  return Json(Json::Object{})
      .set("cases", std::move(items))
      .set("total", page.total ? Json(*page.total) : Json())
      .set("next_page_token", page.next.empty() ? Json() : Json(page.next));
}

void list_cases(Monitor& monitor, const http::Request& request, const http::Responder& responder) {
  auto query = case_query(request);
  if (!query.ok()) return responder.send(error_response(query.error()));
  if (auto refused = read_filter(request, query->filter)) return responder.send(std::move(*refused));
  FilterPlace place;
  const auto page = monitor.cases(*query, &place);
  if (!page.ok() && place.length > 0) return responder.send(refused_filter(page.error(), place));
  answer(responder, page,
         [](const monitor::CasePage& found) { return http::Response::json(page_json(found).render()); });
}

Result<Json> get_case(Monitor& monitor, const http::Request& request) {
  return case_json(TRY(monitor.find_case(project_of(request), CaseId(request.parameter("case")))));
}

/// The right answer as a picture: the hash of a blob that was sent before.
Result<std::optional<Hash>> target_of(const Json& body) {
  if (body["target"].is_null()) return std::optional<Hash>();
  const auto hash = parse_hash(TRY(required_string(body, "target")));
  if (!hash.ok()) return context(hash.error(), "'target' is the hash of a PNG that POST /api/v1/blobs answered with");
  return std::optional(*hash);
}

Result<Json> patch_case(Monitor& monitor, const http::Request& request) {
  const Json body = TRY(json_body(request));
  monitor::CaseChange change;
  change.target = TRY(target_of(body));
  if (const Json* label = body.find("label"))
    change.label = label->is_null() ? "" : TRY(required_string(body, "label"));
  if (!body["state"].is_null()) {
    change.state = monitor::parse_case_state(TRY(required_string(body, "state")));
    if (!change.state || *change.state == monitor::CaseState::sent || *change.state == monitor::CaseState::held_out) {
      return Error{ErrorCode::invalid_argument,
                   "'state' can be set to open, labelled or dismissed; a case is sent by POST /api/v1/cases/send"};
    }
  }
  return case_json(TRY(monitor.update_case(project_of(request), CaseId(request.parameter("case")), change)));
}

Result<Json> post_feedback(Monitor& monitor, const http::Request& request) {
  const Json body = TRY(json_body(request));
  monitor::Feedback feedback;
  feedback.answer = AnswerId(TRY(required_string(body, "answer_id")));
  if (!body["correct"].is_null()) feedback.correct = TRY(optional_boolean(body, "correct", false));
  // A label is text, but people send 3 as readily as "3".
  feedback.label =
      body["label"].is_integer() ? std::to_string(*body["label"].integer()) : TRY(optional_string(body, "label"));
  feedback.target = TRY(target_of(body));
  feedback.comment = TRY(optional_string(body, "comment"));
  if (!feedback.correct && feedback.label.empty() && !feedback.target && feedback.comment.empty()) {
    return Error{ErrorCode::invalid_argument,
                 "feedback says at least one of 'correct', 'label', 'target' and 'comment'"};
  }
  return Json(Json::Object{}).set("case_id", TRY(monitor.feedback(project_of(request), feedback)).text);
}

Result<Json> list_findings(Monitor& monitor, const http::Request& request) {
  const std::string state = query_text(request, "state");
  if (!state.empty() && state != "open" && state != "closed")
    return Error{ErrorCode::invalid_argument, "'state' is '" + clean_utf8(state, 40) + "'; expected open or closed"};
  Json::Array items;
  for (const Finding& f :
       TRY(monitor.findings(project_of(request), query_text(request, "deployment"),
                            state.empty() ? std::nullopt : std::optional(state == "open"), kFindingsMax))) {
    items.push_back(finding_json(f));
  }
  return Json(Json::Object{}).set("findings", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> get_finding(Monitor& monitor, const http::Request& request) {
  return finding_json(TRY(monitor.find_finding(project_of(request), FindingId(request.parameter("finding")))));
}

Result<Json> patch_finding(Monitor& monitor, const http::Request& request) {
  const Json body = TRY(json_body(request));
  if (TRY(required_string(body, "state")) != "closed")
    return Error{ErrorCode::invalid_argument, "a finding can only be closed: {\"state\": \"closed\"}"};
  return finding_json(TRY(monitor.close_finding(project_of(request), FindingId(request.parameter("finding")))));
}

Result<Json> get_drift(Monitor& monitor, const http::Request& request) {
  const std::string deployment(request.parameter("deployment"));
  const auto report = monitor.drift(project_of(request), deployment);
  Json::Array statistics;
  Json json{Json::Object{}};
  if (!report)
    return json.set("model", nullptr)
        .set("version", nullptr)
        .set("reference", nullptr)
        .set("answers", 0)
        .set("statistics", std::move(statistics));
  for (const auto& state : report->statistics) {
    Json item{Json::Object{}};
    item.set("name", state.statistic)
        .set("kind", monitor::side_of(state.statistic))
        .set("psi", number(state.verdict.psi))
        .set("ks", number(state.verdict.ks));
    item.set("threshold", number(state.verdict.threshold)).set("verdict", name(state.verdict.state));
    item.set("reference_histogram", monitor::render(state.reference))
        .set("current_histogram", monitor::render(state.current));
    statistics.push_back(std::move(item));
  }
  json.set("model", report->model)
      .set("version", report->version)
      .set("reference", report->source.empty() ? Json() : Json(report->source));
  return json.set("answers", report->answers).set("statistics", std::move(statistics));
}

Result<Json> send(Monitor& monitor, registry::Registry& registry, const http::Request& request) {
  const Json body = TRY(json_body(request));
  SendCases wanted;
  wanted.project = project_of(request);
  wanted.member = caller_of(request).name;
  for (const std::string& id : TRY(optional_texts(body, "case_ids"))) wanted.cases.emplace_back(id);
  wanted.deployment = TRY(optional_string(body, "deployment"));
  wanted.dataset = TRY(required_string(body, "dataset"));
  wanted.branch = TRY(optional_string(body, "branch", "cases"));
  wanted.hold_out = TRY(optional_number(body, "hold_out", 0));
  wanted.hold_out_branch = TRY(optional_string(body, "hold_out_branch", "test"));
  wanted.slice = TRY(optional_string(body, "slice"));
  const SentCases sent = TRY(send_cases(monitor, registry, wanted));
  Json::Array held_out, sent_ids;
  for (const CaseId& id : sent.sent) sent_ids.emplace_back(id.text);
  for (const CaseId& id : sent.held_out) held_out.emplace_back(id.text);
  Json json{Json::Object{}};
  json.set("commit_id", sent.commit.text)
      .set("branch", wanted.branch)
      .set("sent", std::move(sent_ids))
      .set("held_out", std::move(held_out));
  return json.set("held_out_commit_id", sent.held_out_commit.empty() ? Json() : Json(sent.held_out_commit.text));
}

}  // namespace

Json finding_json(const monitor::Finding& f) {
  Json json{Json::Object{}};
  json.set("id", f.id.text)
      .set("deployment", f.deployment)
      .set("model", f.model)
      .set("version", f.version)
      .set("kind", f.kind)
      .set("state", f.open ? "open" : "closed");
  json.set("statistic", f.statistic)
      .set("value", number(f.value))
      .set("threshold", number(f.threshold))
      .set("message", f.message);
  return json.set("created_at", time_json(f.created_at))
      .set("updated_at", time_json(f.updated_at))
      .set("closed_at", time_json(f.closed_at));
}

void add_monitor(http::Router& router, Monitor& monitor, registry::Registry& registry) {
  using http::Method;
  using Function = Result<Json> (*)(Monitor&, const http::Request&);
  const auto ok = [](const Json& json) { return http::Response::json(json.render()); };
  const auto add = [&](Method method, const char* pattern, Function function) {
    router.add(method, pattern, [&monitor, function, ok](http::Request& request, http::Responder responder) {
      answer(responder, function(monitor, request), ok);
    });
  };
  router.add(Method::get, "/api/v1/cases", [&monitor](http::Request& request, http::Responder responder) {
    list_cases(monitor, request, responder);
  });
  add(Method::get, "/api/v1/cases/{case}", get_case);
  add(Method::patch, "/api/v1/cases/{case}", patch_case);
  add(Method::post, "/api/v1/feedback", post_feedback);
  add(Method::get, "/api/v1/findings", list_findings);
  add(Method::get, "/api/v1/findings/{finding}", get_finding);
  add(Method::patch, "/api/v1/findings/{finding}", patch_finding);
  add(Method::get, "/api/v1/deployments/{deployment}/drift", get_drift);
  router.add(Method::post, "/api/v1/cases/send",
             [&monitor, &registry, ok](http::Request& request, http::Responder responder) {
               answer(responder, send(monitor, registry, request), ok);
             });
}

}  // namespace slipway::api

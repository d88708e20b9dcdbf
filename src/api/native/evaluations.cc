#include "api/native/evaluations.h"

#include <cmath>

#include "api/api.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using evaluation::Comparison;
using evaluation::Evaluation;
using evaluation::Evaluations;
using evaluation::Interval;
using evaluation::SampleResult;

constexpr double kToleranceDefault = 0.01;
constexpr size_t kShownWithModel = 1000;  // evaluations that are looked at for the versions of a model

Json bound(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json interval_json(const Interval& interval) {
  return Json(Json::Object{})
      .set("value", bound(interval.value))
      .set("low", bound(interval.low))
      .set("high", bound(interval.high))
      .set("n", interval.n);
}

Json metrics_json(const Evaluation& evaluation, const Interval& interval) {
  return Json(Json::Object{}).set(std::string(evaluation::metric_of(evaluation.task)), interval_json(interval));
}

Json evaluation_json(const Evaluation& e) {
  Json::Array slices;
  for (const auto& slice : e.slices) {
    Json item{Json::Object{}};
    item.set("name", slice.name).set("query", slice.query).set("n", nullptr).set("metrics", Json::Object{});
    for (const auto& score : e.scores) {
      if (score.slice == slice.name) item.set("n", score.score.n).set("metrics", metrics_json(e, score.score));
    }
    slices.push_back(std::move(item));
  }
  Json json{Json::Object{}};
  json.set("id", e.id.text)
      .set("name", e.name)
      .set("model", e.model)
      .set("version", e.version)
      .set("dataset", e.dataset)
      .set("commit_id", e.commit);
  json.set("task", e.task)
      .set("input", e.input)
      .set("target", e.target.empty() ? Json() : Json(e.target))
      .set("state", name(e.state))
      .set("message", e.message);
  json.set("run_id", e.run ? Json(e.run->text) : Json())
      .set("samples", e.samples)
      .set("member", e.member)
      .set("created_at", time_json(e.created_at))
      .set("ended_at", time_json(e.ended_at));
  json.set("metrics", e.scores.empty() ? Json(Json::Object{}) : metrics_json(e, e.scores[0].score));
  return json.set("slices", std::move(slices));
}

Json attribute_json(const evaluation::AttributeValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return nullptr;
}

Json sample_json(const SampleResult& sample) {
  Json attributes{Json::Object{}}, statistics{Json::Object{}};
  for (const auto& [key, value] : sample.attributes) attributes.set(key, attribute_json(value));
  for (const auto& [key, value] : sample.statistics) statistics.set(key, value);
  Json json{Json::Object{}};
  json.set("key", sample.key)
      .set("label", sample.label)
      .set("prediction", sample.prediction)
      .set("confidence", sample.confidence ? Json(*sample.confidence) : Json());
  json.set("score", sample.score)
      .set("correct", sample.score == 1)
      .set("attributes", std::move(attributes))
      .set("statistics", std::move(statistics));
  return json.set("image_hash", sample.image_hash.empty() ? Json() : Json(sample.image_hash));
}

Json comparison_json(const Comparison& comparison) {
  Json::Array slices;
  std::int64_t fixed = 0, broken = 0;
  for (const auto& slice : comparison.slices) {
    if (slice.slice == "all") {
      fixed = slice.fixed;
      broken = slice.broken;
    }
    Json item{Json::Object{}};
    item.set("name", slice.slice)
        .set("n", slice.difference.n)
        .set("metric", evaluation::metric_of(comparison.right.task));
    item.set("left", interval_json(slice.left))
        .set("right", interval_json(slice.right))
        .set("difference", bound(slice.difference.value));
    item.set("low", bound(slice.difference.low))
        .set("high", bound(slice.difference.high))
        .set("verdict", name(slice.verdict));
    slices.push_back(std::move(item.set("fixed", slice.fixed).set("broken", slice.broken)));
  }
  Json json{Json::Object{}};
  json.set("left", evaluation_json(comparison.left))
      .set("right", evaluation_json(comparison.right))
      .set("slices", std::move(slices));
  return json.set("flips", Json(Json::Object{}).set("fixed", fixed).set("broken", broken));
}

Result<Json> list(Evaluations& evaluations, const http::Request& request) {
  const Page page = TRY(page_of(request));
  const auto found =
      TRY(evaluations.list(project_of(request), request.query_value("model").value_or(""),
                           request.query_value("dataset").value_or(""), static_cast<size_t>(page.size), page.token));
  Json::Array items;
  for (const Evaluation& evaluation : found) items.push_back(evaluation_json(evaluation));
  const Json next = found.size() == static_cast<size_t>(page.size) ? Json(found.back().id.text) : Json();
  return Json(Json::Object{}).set("evaluations", std::move(items)).set("next_page_token", next);
}

Result<Reference> reference_of(const Json& body, std::string_view key, Reference::Kind kind) {
  const Reference reference = TRY(parse_reference(TRY(required_string(body, key))));
  if (reference.kind != kind)
    return Error{ErrorCode::invalid_argument, "'" + std::string(key) + "' is '" + render(reference) + "'; expected a " +
                                                  std::string(key) + " such as " + std::string(key) + ":name"};
  return reference;
}

Result<Json> create(Evaluations& evaluations, const http::Request& request) {
  const Json body = TRY(json_body(request));
  const Caller caller = caller_of(request);
  evaluation::NewEvaluation wanted;
  wanted.project = project_of(request);
  wanted.member = caller.member;
  wanted.member_name = caller.name;
  wanted.name = TRY(optional_string(body, "name"));
  wanted.model = TRY(reference_of(body, "model", Reference::Kind::model));
  wanted.dataset = TRY(reference_of(body, "dataset", Reference::Kind::dataset));
  wanted.task = TRY(optional_string(body, "task", "classification"));
  wanted.input = TRY(optional_string(body, "input"));
  wanted.target = TRY(optional_string(body, "target"));
  for (const auto& [slice, query] : TRY(optional_text_pairs(body, "slices"))) wanted.slices.push_back({slice, query});
  wanted.slice_by = TRY(optional_texts(body, "slice_by"));
  return evaluation_json(TRY(evaluations.create(wanted)));
}

Result<Evaluation> named(Evaluations& evaluations, const http::Request& request, std::string_view parameter) {
  return evaluations.get(project_of(request), EvaluationId(request.parameter(parameter)));
}

Result<Json> get(Evaluations& evaluations, const http::Request& request) {
  return evaluation_json(TRY(named(evaluations, request, "evaluation")));
}

Result<Json> samples(Evaluations& evaluations, const http::Request& request) {
  const Page page = TRY(page_of(request));
  const Evaluation evaluation = TRY(named(evaluations, request, "evaluation"));
  const auto found = TRY(evaluations.samples(evaluation, request.query_value("slice").value_or(""),
                                             request.query_value("filter").value_or(""), page.size, page.token));
  Json::Array items;
  for (const SampleResult& sample : found.samples) items.push_back(sample_json(sample));
  return Json(Json::Object{})
      .set("samples", std::move(items))
      .set("total", found.total)
      .set("next_page_token", found.next_page_token.empty() ? Json() : Json(found.next_page_token));
}

Result<Json> compare(Evaluations& evaluations, const http::Request& request) {
  const Evaluation left = TRY(named(evaluations, request, "evaluation"));
  const Evaluation right = TRY(named(evaluations, request, "other"));
  double tolerance = kToleranceDefault;
  if (const auto text = request.query_value("tolerance")) {
    const auto number = parse_double(*text);
    if (!number || !(*number >= 0))
      return Error{ErrorCode::invalid_argument,
                   "'tolerance' is '" + clean_utf8(*text, 40) + "'; expected a number from 0 on"};
    tolerance = *number;
  }
  return comparison_json(TRY(evaluations.compare(left, right, tolerance)));
}

}  // namespace

EvaluationsOfModel evaluations_of_models(Evaluations& evaluations) {
  return [&evaluations](const ProjectId& project,
                        const std::string& model) -> Result<std::map<std::int64_t, Json::Array>> {
    std::map<std::int64_t, Json::Array> by_version;
    for (const Evaluation& one : TRY(evaluations.list(project, model, "", kShownWithModel, "")))
      by_version[one.version].push_back(evaluation_json(one));
    return by_version;
  };
}

void add_evaluations(http::Router& router, Evaluations& evaluations) {
  using http::Method;
  using Function = Result<Json> (*)(Evaluations&, const http::Request&);
  const auto add = [&](Method method, const char* pattern, Function function, int status = 200) {
    router.add(method, pattern, [&evaluations, function, status](http::Request& request, http::Responder responder) {
      answer(responder, function(evaluations, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  add(Method::get, "/api/v1/evaluations", list);
  add(Method::post, "/api/v1/evaluations", create, 201);
  add(Method::get, "/api/v1/evaluations/{evaluation}", get);
  add(Method::get, "/api/v1/evaluations/{evaluation}/samples", samples);
  add(Method::get, "/api/v1/evaluations/{evaluation}/compare/{other}", compare);
}

}  // namespace slipway::api

#include "api/native/evaluation_datasets.h"

#include "api/api.h"
#include "api/native/filter_query.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::Tracking;

Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

EvaluationDatasetId id_of(const Request& request) {
  return EvaluationDatasetId(request.parameter("evaluation_dataset"));
}

Json dataset_json(const EvaluationDataset& dataset) {
  Json tags{Json::Object{}};
  for (const auto& [key, value] : dataset.tags) tags.set(key, value);
  Json::Array experiments;
  for (const ExperimentId& id : dataset.experiments) experiments.emplace_back(id.text);
  Json json;
  json.set("id", dataset.id.text).set("name", dataset.name).set("records", dataset.records);
  json.set("digest", dataset.digest).set("fields", dataset.fields).set("tags", std::move(tags));
  json.set("experiments", std::move(experiments)).set("created_by", or_null(dataset.created_by));
  json.set("updated_by", or_null(dataset.updated_by)).set("created_at", time_json(dataset.created_at));
  return json.set("updated_at", time_json(dataset.updated_at));
}

Json record_json(const EvaluationRecord& record) {
  Json source;
  if (record.source) source.set("type", record.source->type).set("id", record.source->id());
  Json json;
  json.set("id", record.id.text).set("inputs", record.inputs).set("outputs", record.outputs);
  json.set("expectations", record.expectations).set("tags", record.tags).set("source", std::move(source));
  json.set("created_by", or_null(record.created_by)).set("updated_by", or_null(record.updated_by));
  return json.set("created_at", time_json(record.created_at)).set("updated_at", time_json(record.updated_at));
}

Json scorer_json(const Scorer& scorer) {
  return Json()
      .set("id", scorer.id.text)
      .set("name", scorer.name)
      .set("experiment", scorer.experiment.text)
      .set("version", scorer.version)
      .set("definition", Json::parse(scorer.body).value_or(Json()))
      .set("created_at", time_json(scorer.created_at));
}

Json token_json(const std::optional<std::string>& token) { return or_null(token); }

Result<Json> list_json(Tracking& tracking, tracking::EvaluationDatasetQuery& query, const Request& request) {
  const Page page = TRY(page_of(request));
  query.page_size = static_cast<size_t>(page.size);
  query.page_token = page.token;
  query.order = TRY(order_of(request));
  const auto found = TRY(tracking.evaluation_datasets().search(query));
  Json::Array items;
  for (const EvaluationDataset& dataset : found.items) items.push_back(dataset_json(dataset));
  return Json().set("evaluation_datasets", std::move(items)).set("next_page_token", token_json(found.next_page_token));
}

void list(Tracking& tracking, const Request& request, const Responder& responder) {
  tracking::EvaluationDatasetQuery query{.project = project_of(request)};
  if (const auto experiment = request.query_value("experiment"); experiment && !experiment->empty())
    query.experiments = std::vector{ExperimentId(*experiment)};
  if (auto refused = read_filter(request, query.filter)) return responder.send(std::move(*refused));
  answer(responder, list_json(tracking, query, request),
         [](const Json& json) { return http::Response::json(json.render()); });
}

Result<Json> get(Tracking& tracking, const Request& request) {
  return dataset_json(TRY(tracking.evaluation_datasets().get(project_of(request), id_of(request))));
}

Result<Json> records(Tracking& tracking, const Request& request) {
  const Page page = TRY(page_of(request));
  const auto found = TRY(tracking.evaluation_datasets().records(project_of(request), id_of(request),
                                                                static_cast<size_t>(page.size), page.token));
  Json::Array items;
  for (const EvaluationRecord& record : found.items) items.push_back(record_json(record));
  return Json().set("records", std::move(items)).set("next_page_token", token_json(found.next_page_token));
}

Result<Json> scorers(Tracking& tracking, const Request& request) {
  std::optional<std::vector<ExperimentId>> experiments;
  if (const auto experiment = request.query_value("experiment"); experiment && !experiment->empty())
    experiments = std::vector{ExperimentId(*experiment)};
  Json::Array items;
  for (const Scorer& scorer : TRY(tracking.scorers().list(project_of(request), experiments)))
    items.push_back(scorer_json(scorer));
  return Json().set("scorers", std::move(items)).set("next_page_token", nullptr);
}

using Handle = Result<Json> (*)(Tracking&, const Request&);

void add(http::Router& router, Tracking& tracking, const char* path, Handle handle) {
  router.add(Method::get, path, [&tracking, handle](Request& request, Responder responder) {
    answer(responder, handle(tracking, request), [](const Json& json) { return http::Response::json(json.render()); });
  });
}

}  // namespace

void add_evaluation_datasets(http::Router& router, Tracking& tracking) {
  router.add(Method::get, "/api/v1/evaluation_datasets",
             [&tracking](Request& request, Responder responder) { list(tracking, request, responder); });
  add(router, tracking, "/api/v1/evaluation_datasets/{evaluation_dataset}", get);
  add(router, tracking, "/api/v1/evaluation_datasets/{evaluation_dataset}/records", records);
  add(router, tracking, "/api/v1/scorers", scorers);
}

}  // namespace slipway::api

// Evaluation datasets (mlflow.genai.datasets). Their tags and records travel as JSON inside a text.
#include <fmt/format.h>

#include "api/mlflow/endpoint.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr std::int64_t kDatasetsDefault = 1000, kRecordsDefault = 1000;
constexpr size_t kShownMax = 200;  // bytes of a wrong value in a message

EvaluationDatasetId dataset_of(const Call& call) { return EvaluationDatasetId(call.text("dataset_id")); }

tracking::EvaluationDatasets& datasets(const Rooms& rooms) { return rooms.tracking.evaluation_datasets(); }

/// Milliseconds; texts of JSON for what has a shape of its own.
void write(JsonWriter& json, const EvaluationDataset& dataset) {
  Json tags{Json::Object{}};
  for (const auto& [key, value] : dataset.tags) tags.set(key, value);
  json.begin_object().member("dataset_id", dataset.id.text).member("name", dataset.name).member("tags", tags.render());
  if (dataset.fields.is_object()) json.member("schema", dataset.fields.render());
  if (dataset.records > 0) json.member("profile", fmt::format(R"({{"num_records": {}}})", dataset.records));
  json.member("digest", dataset.digest).member("created_time", dataset.created_at.millis());
  json.member("last_update_time", dataset.updated_at.millis());
  if (dataset.created_by) json.member("created_by", *dataset.created_by);
  if (dataset.updated_by) json.member("last_updated_by", *dataset.updated_by);
  json.key("experiment_ids").begin_array();
  for (const ExperimentId& id : dataset.experiments) json.value(id.text);
  json.end_array().end_object();
}

std::string answer_with(const EvaluationDataset& dataset) {
  JsonWriter json;
  json.begin_object().key("dataset");
  write(json, dataset);
  json.end_object();
  return json.take();
}

void write(JsonWriter& json, const EvaluationRecord& record, const EvaluationDatasetId& dataset) {
  json.begin_object().member("dataset_record_id", record.id.text).member("dataset_id", dataset.text);
  json.member("inputs", record.inputs);
  if (!record.outputs.is_null()) json.member("outputs", record.outputs);
  if (!record.expectations.is_null()) json.member("expectations", record.expectations);
  json.member("tags", record.tags);
  if (record.source) {
    json.key("source").begin_object().member("source_type", record.source->type);
    json.member("source_data", record.source->data).end_object();
    if (!record.source->id().empty()) json.member("source_id", record.source->id());
    json.member("source_type", record.source->type);
  }
  json.member("created_time", record.created_at.millis()).member("last_update_time", record.updated_at.millis());
  if (record.created_by) json.member("created_by", *record.created_by);
  if (record.updated_by) json.member("last_updated_by", *record.updated_by);
  json.end_object();
}

Error wrong(std::string_view field, std::string_view text, std::string_view expected) {
  return invalid_value(field, Json(clean_utf8(text, kShownMax)), fmt::format("expected {}", expected));
}

/// JSON inside a text. Values that are no text are kept as JSON writes them; null says nothing of a tag.
Result<tracking::KeyValues> read_tags(const Call& call) {
  tracking::KeyValues tags;
  const std::string& text = call.text("tags");
  if (text.empty()) return tags;
  const auto json = Json::parse(text);
  if (!json.ok() || !json->is_object()) return wrong("tags", text, "the text of a JSON object");
  for (const auto& [key, value] : json->object()) {
    if (!value.is_null()) tags.emplace_back(key, value.is_string() ? value.string() : value.render());
  }
  return tags;
}

/// As the project knows them; "0" is whatever its default experiment is.
Result<std::vector<ExperimentId>> read_experiments(const Rooms& rooms, const Call& call, bool must_exist) {
  const Json::Array& given = call.list("experiment_ids");
  if (given.size() > tracking::kEvaluationExperimentsMax) {
    return Error{ErrorCode::too_large, fmt::format("{} experiment_ids in one request; at most {} are taken",
                                                   given.size(), tracking::kEvaluationExperimentsMax)};
  }
  std::vector<ExperimentId> ids;
  for (const Json& id : given) {
    const auto found = rooms.tracking.experiments().get(call.project(), ExperimentId(id.string()));
    if (found.ok())
      ids.push_back(found->id);
    else if (must_exist || found.error().code != ErrorCode::not_found)
      return found.error();
  }
  return ids;
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  const auto tags = TRY(read_tags(call));
  tracking::NewEvaluationDataset made{call.project(), call.text("name"), tags, {}};
  made.experiments = TRY(read_experiments(rooms, call, true));
  return answer_with(TRY(datasets(rooms).create(made)));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(datasets(rooms).get(call.project(), dataset_of(call))));
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(datasets(rooms).remove(call.project(), dataset_of(call)));
  return std::string("{}");
}

Result<std::string> search(const Rooms& rooms, const Call& call) {
  tracking::EvaluationDatasetQuery query{.project = call.project()};
  if (!call.list("experiment_ids").empty()) query.experiments = TRY(read_experiments(rooms, call, false));
  query.filter = TRY(parse_filter(call.text("filter_string")));
  for (const std::string& term : call.texts("order_by")) query.order.push_back(TRY(parse_order(term)));
  const std::int64_t most = call.integer("max_results").value_or(kDatasetsDefault);
  if (most < 1) return invalid_value("max_results", Json(most), "it must be a positive integer");
  query.page_size = static_cast<size_t>(most);
  query.page_token = call.text("page_token");
  const auto page = TRY(datasets(rooms).search(query));
  JsonWriter json;
  json.begin_object().key("datasets").begin_array();
  for (const EvaluationDataset& dataset : page.items) write(json, dataset);
  json.end_array();
  if (page.next_page_token) json.member("next_page_token", *page.next_page_token);
  json.end_object();
  return json.take();
}

Result<std::string> set_tags(const Rooms& rooms, const Call& call) {
  TRY(datasets(rooms).set_tags(call.project(), dataset_of(call), TRY(read_tags(call))));
  return std::string("{}");
}

Result<std::string> delete_tag(const Rooms& rooms, const Call& call) {
  TRY(datasets(rooms).delete_tag(call.project(), dataset_of(call), call.text("key")));
  return std::string("{}");
}

Result<std::string> experiment_ids(const Rooms& rooms, const Call& call) {
  const EvaluationDataset dataset = TRY(datasets(rooms).get(call.project(), dataset_of(call)));
  JsonWriter json;
  json.begin_object().key("experiment_ids").begin_array();
  for (const ExperimentId& id : dataset.experiments) json.value(id.text);
  json.end_array().end_object();
  return json.take();
}

Result<std::string> add_experiments(const Rooms& rooms, const Call& call) {
  const auto experiments = TRY(read_experiments(rooms, call, true));
  return answer_with(TRY(datasets(rooms).add_experiments(call.project(), dataset_of(call), experiments)));
}

Result<std::string> remove_experiments(const Rooms& rooms, const Call& call) {
  const auto experiments = TRY(read_experiments(rooms, call, false));
  return answer_with(TRY(datasets(rooms).remove_experiments(call.project(), dataset_of(call), experiments)));
}

Result<std::vector<EvaluationRecordChange>> read_records(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json.ok() || !json->is_array()) return wrong("records", text, "the text of a JSON list of records");
  if (json->array().size() > kEvaluationRecordsMax) {
    return Error{ErrorCode::too_large, fmt::format("{} records in one request; at most {} are taken, send several",
                                                   json->array().size(), kEvaluationRecordsMax)};
  }
  std::vector<EvaluationRecordChange> changes;
  for (const Json& record : json->array())
    changes.push_back(TRY(read_evaluation_record(record, fmt::format("records[{}]", changes.size()))));
  return changes;
}

Result<std::string> upsert(const Rooms& rooms, const Call& call) {
  const auto changes = TRY(read_records(call.text("records")));
  const auto counts = TRY(datasets(rooms).upsert(call.project(), dataset_of(call), changes));
  JsonWriter json;
  json.begin_object().member("inserted_count", counts.inserted).member("updated_count", counts.updated).end_object();
  return json.take();
}

Result<std::string> records(const Rooms& rooms, const Call& call) {
  const std::int64_t most = call.integer("max_results").value_or(kRecordsDefault);
  if (most < 1) return invalid_value("max_results", Json(most), "it must be a positive integer");
  const auto page = TRY(
      datasets(rooms).records(call.project(), dataset_of(call), static_cast<size_t>(most), call.text("page_token")));
  JsonWriter list;
  list.begin_array();
  for (const EvaluationRecord& record : page.items) write(list, record, dataset_of(call));
  list.end_array();
  JsonWriter json;
  json.begin_object().member("records", list.text());
  if (page.next_page_token) json.member("next_page_token", *page.next_page_token);
  json.end_object();
  return json.take();
}

Result<std::string> remove_records(const Rooms& rooms, const Call& call) {
  std::vector<EvaluationRecordId> ids;
  for (const std::string& id : call.texts("dataset_record_ids")) ids.emplace_back(id);
  const auto gone = TRY(datasets(rooms).remove_records(call.project(), dataset_of(call), ids));
  JsonWriter json;
  json.begin_object().member("deleted_count", gone).end_object();
  return json.take();
}

const Field kDataset{"dataset_id", FieldType::text, true};
const Field kExperiments{"experiment_ids", FieldType::texts};
const Field kMaxResults{"max_results", FieldType::integer}, kToken{"page_token"};

}  // namespace

std::span<const Endpoint> evaluation_dataset_endpoints() {
  static const std::vector<Field> search_fields{
      kExperiments, {"filter_string"}, kMaxResults, {"order_by", FieldType::texts}, kToken};
  static const std::vector<Endpoint> endpoints{
      {Method::post, "mlflow/datasets/create", {{"name", FieldType::text, true}, kExperiments, {"tags"}}, create},
      {Method::get, "mlflow/datasets/search", search_fields, search},
      {Method::post, "mlflow/datasets/search", search_fields, search},
      {Method::get, "mlflow/datasets/{dataset_id}", {kDataset}, get},
      {Method::del, "mlflow/datasets/{dataset_id}", {kDataset}, remove},
      {Method::patch, "mlflow/datasets/{dataset_id}/tags", {kDataset, {"tags", FieldType::text, true}}, set_tags},
      {Method::del, "mlflow/datasets/{dataset_id}/tags/{key}", {kDataset, {"key", FieldType::text, true}}, delete_tag},
      {Method::get, "mlflow/datasets/{dataset_id}/experiment-ids", {kDataset}, experiment_ids},
      {Method::post, "mlflow/datasets/{dataset_id}/add-experiments", {kDataset, kExperiments}, add_experiments},
      {Method::post, "mlflow/datasets/{dataset_id}/remove-experiments", {kDataset, kExperiments}, remove_experiments},
      {Method::post, "mlflow/datasets/{dataset_id}/records", {kDataset, {"records", FieldType::text, true}}, upsert},
      {Method::get, "mlflow/datasets/{dataset_id}/records", {kDataset, kMaxResults, kToken}, records},
      {Method::del,
       "mlflow/datasets/{dataset_id}/records",
       {kDataset, {"dataset_record_ids", FieldType::texts}},
       remove_records},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow

#include <fmt/format.h>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"
#include "api/mlflow/validate.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr std::int64_t kSearchDefault = 100;

LoggedModelId model_of(const Call& call) { return LoggedModelId(call.text("model_id")); }

std::string answer_with(const tracking::LoggedModel& model) {
  JsonWriter json;
  json.begin_object().key("model");
  write(json, model);
  json.end_object();
  return json.take();
}

Result<void> check_name(std::string_view name) {
  if (name.find_first_of("/:.%\"'") == std::string_view::npos) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "Invalid model name ({}) provided. Model name must be a non-empty string and cannot contain the following "
          "characters: ('/', ':', '.', '%', '\"', \"'\")",
          name)};
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  TRY(check_name(call.text("name")));
  tracking::NewLoggedModel model{.project = call.project(), .experiment = ExperimentId(call.text("experiment_id"))};
  model.name = call.text("name");
  model.model_type = call.text("model_type");
  if (!call.text("source_run_id").empty()) model.source_run = RunId(call.text("source_run_id"));
  model.params = call.pairs("params");
  model.tags = call.pairs("tags");
  return answer_with(TRY(rooms.tracking.logged_models().create(model)));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.tracking.logged_models().get(call.project(), model_of(call))));
}

Result<std::string> finalize(const Rooms& rooms, const Call& call) {
  using Status = tracking::LoggedModelStatus;
  const std::string& text = call.text("status");
  const std::int64_t number = call.integer("status").value_or(0);
  std::optional<Status> status;
  if (text == "LOGGED_MODEL_PENDING" || number == 1) status = Status::pending;
  if (text == "LOGGED_MODEL_READY" || number == 2) status = Status::ready;
  if (text == "LOGGED_MODEL_UPLOAD_FAILED" || number == 3) status = Status::upload_failed;
  if (!status)
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("Invalid model status '{}'; expected LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED", text)};
  return answer_with(TRY(rooms.tracking.logged_models().set_status(call.project(), model_of(call), *status)));
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.logged_models().remove(call.project(), model_of(call)));
  return std::string("{}");
}

Result<std::string> set_tags(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.tracking.logged_models().set_tags(call.project(), model_of(call), call.pairs("tags"))));
}

Result<std::string> delete_tag(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.logged_models().delete_tag(call.project(), model_of(call), call.text("tag_key")));
  return std::string("{}");
}

Result<std::string> log_params(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.logged_models().log_params(call.project(), model_of(call), call.pairs("params")));
  return std::string("{}");
}

Result<std::string> search(const Rooms& rooms, const Call& call) {
  tracking::LoggedModelQuery query{.project = call.project()};
  for (const std::string& id : call.texts("experiment_ids")) query.experiments.emplace_back(id);
  query.filter = TRY(parse_filter(call.text("filter")));
  for (const Json& order : call.list("order_by")) {
    query.order.push_back({order["field_name"].string(), order["ascending"].boolean().value_or(true),
                           order["dataset_name"].string(), order["dataset_digest"].string()});
    if (query.order.back().field.empty()) return missing_value("order_by.field_name");
  }
  const std::int64_t most = call.integer("max_results").value_or(kSearchDefault);
  if (most < 1) return invalid_value("max_results", Json(most), "it must be a positive integer");
  query.page_size = static_cast<size_t>(most);
  query.page_token = call.text("page_token");
  const auto page = TRY(rooms.tracking.logged_models().search(query));
  JsonWriter json;
  json.begin_object().key("models").begin_array();
  for (const auto& model : page.items) write(json, model);
  json.end_array();
  if (page.next_page_token) json.member("next_page_token", *page.next_page_token);
  json.end_object();
  return json.take();
}

const Field kModel{"model_id", FieldType::text, true};

}  // namespace

std::span<const Endpoint> logged_model_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/logged-models",
       {{"experiment_id", FieldType::text, true},
        {"name"},
        {"model_type"},
        {"source_run_id"},
        {"params", FieldType::objects},
        {"tags", FieldType::objects}},
       create},
      {Method::post,
       "mlflow/logged-models/search",
       {{"experiment_ids", FieldType::texts, true},
        {"filter"},
        {"datasets", FieldType::objects},
        {"max_results", FieldType::integer},
        {"order_by", FieldType::objects},
        {"page_token"}},
       search},
      {Method::get, "mlflow/logged-models/{model_id}", {kModel}, get},
      {Method::patch, "mlflow/logged-models/{model_id}", {kModel, {"status", FieldType::choice, true}}, finalize},
      {Method::del, "mlflow/logged-models/{model_id}", {kModel}, remove},
      {Method::patch, "mlflow/logged-models/{model_id}/tags", {kModel, {"tags", FieldType::objects}}, set_tags},
      {Method::del,
       "mlflow/logged-models/{model_id}/tags/{tag_key}",
       {kModel, {"tag_key", FieldType::text, true}},
       delete_tag},
      {Method::post, "mlflow/logged-models/{model_id}/params", {kModel, {"params", FieldType::objects}}, log_params},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow

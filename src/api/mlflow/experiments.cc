#include <fmt/format.h>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"
#include "api/mlflow/validate.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr size_t kSearchDefault = 1000;
constexpr std::int64_t kSearchMax = 50'000;

ExperimentId experiment_of(const Call& call) { return ExperimentId(call.text("experiment_id")); }

Result<std::string> create(const Rooms& rooms, const Call& call) {
  TRY(check_experiment_name(call.text("name")));
  const std::string& location = call.text("artifact_location");
  TRY(check_artifact_location(location));
  const auto tags = call.pairs("tags");
  for (const auto& [key, value] : tags) TRY(check_experiment_tag(key, value));
  const auto made = TRY(rooms.tracking.experiments().create(call.project(), call.text("name"), location, tags));
  JsonWriter json;
  json.begin_object().member("experiment_id", made.id.text).end_object();
  return json.take();
}

std::string answer_with(const tracking::Experiment& experiment) {
  JsonWriter json;
  json.begin_object().key("experiment");
  write(json, experiment);
  json.end_object();
  return json.take();
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.tracking.experiments().get(call.project(), experiment_of(call))));
}

Result<std::string> get_by_name(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.tracking.experiments().find(call.project(), call.text("experiment_name"))));
}

Result<tracking::View> view_of(const Call& call, std::string_view field) {
  const std::string& name = call.text(field);
  const std::int64_t number = call.integer(field).value_or(0);
  if (name == "ACTIVE_ONLY" || number == 1 || (name.empty() && number == 0)) return tracking::View::active;
  if (name == "DELETED_ONLY" || number == 2) return tracking::View::deleted;
  if (name == "ALL" || number == 3) return tracking::View::all;
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid view type '{}'; expected ACTIVE_ONLY, DELETED_ONLY or ALL", name)};
}

Result<std::string> search(const Rooms& rooms, const Call& call) {
  tracking::ExperimentQuery query{.project = call.project()};
  query.filter = TRY(parse_filter(call.text("filter")));
  for (const std::string& term : call.texts("order_by")) query.order.push_back(TRY(parse_order(term)));
  query.view = TRY(view_of(call, "view_type"));
  const std::int64_t most = call.integer("max_results").value_or(kSearchDefault);
  if (most < 1 || most > kSearchMax) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "Invalid value {} for parameter 'max_results' supplied. It must be a positive integer of at most {}.", most,
            kSearchMax)};
  }
  query.page_size = static_cast<size_t>(most);
  query.page_token = call.text("page_token");
  const auto page = TRY(rooms.tracking.search().experiments(query));
  JsonWriter json;
  json.begin_object().key("experiments").begin_array();
  for (const auto& experiment : page.items) write(json, experiment);
  json.end_array();
  if (page.next_page_token) json.member("next_page_token", *page.next_page_token);
  json.end_object();
  return json.take();
}

Result<std::string> update(const Rooms& rooms, const Call& call) {
  TRY(check_experiment_name(call.text("new_name")));
  TRY(rooms.tracking.experiments().rename(call.project(), experiment_of(call), call.text("new_name")));
  return std::string("{}");
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.experiments().remove(call.project(), experiment_of(call)));
  return std::string("{}");
}

Result<std::string> restore(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.experiments().restore(call.project(), experiment_of(call)));
  return std::string("{}");
}

Result<std::string> set_tag(const Rooms& rooms, const Call& call) {
  TRY(check_experiment_tag(call.text("key"), call.text("value")));
  TRY(rooms.tracking.experiments().set_tag(call.project(), experiment_of(call), call.text("key"), call.text("value")));
  return std::string("{}");
}

Result<std::string> delete_tag(const Rooms& rooms, const Call& call) {
  TRY(rooms.tracking.experiments().delete_tag(call.project(), experiment_of(call), call.text("key")));
  return std::string("{}");
}

const std::vector<Field> kSearchFields{{"max_results", FieldType::integer},
                                       {"page_token"},
                                       {"filter"},
                                       {"order_by", FieldType::texts},
                                       {"view_type", FieldType::choice}};
const Field kId{"experiment_id", FieldType::text, true};

}  // namespace

std::span<const Endpoint> experiment_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/experiments/create",
       {{"name", FieldType::text, true}, {"artifact_location"}, {"tags", FieldType::objects}},
       create},
      {Method::get, "mlflow/experiments/get", {kId}, get},
      {Method::get, "mlflow/experiments/get-by-name", {{"experiment_name", FieldType::text, true}}, get_by_name},
      {Method::get, "mlflow/experiments/search", kSearchFields, search},
      {Method::post, "mlflow/experiments/search", kSearchFields, search},
      {Method::post, "mlflow/experiments/update", {kId, {"new_name", FieldType::text, true}}, update},
      {Method::post, "mlflow/experiments/delete", {kId}, remove},
      {Method::post, "mlflow/experiments/restore", {kId}, restore},
      {Method::post,
       "mlflow/experiments/set-experiment-tag",
       {kId, {"key", FieldType::text, true}, {"value"}},
       set_tag},
      {Method::post, "mlflow/experiments/delete-experiment-tag", {kId, {"key", FieldType::text, true}}, delete_tag},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow

#include <fmt/format.h>

#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr std::int64_t kSearchDefault = 100;
constexpr std::int64_t kSearchMax = 1000;

Result<std::string> answer_with(const Rooms& rooms, const Call& call, const registry::Model& model) {
  JsonWriter json;
  json.begin_object().key("registered_model");
  write(json, model, TRY(rooms.models.latest_versions(call.project(), model.name, {})));
  json.end_object();
  return json.take();
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  return answer_with(
      rooms, call,
      TRY(rooms.models.create(call.project(), call.text("name"), call.text("description"), call.pairs("tags"))));
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(rooms, call, TRY(rooms.models.get(call.project(), call.text("name"))));
}

Result<std::string> rename(const Rooms& rooms, const Call& call) {
  return answer_with(rooms, call, TRY(rooms.models.rename(call.project(), call.text("name"), call.text("new_name"))));
}

Result<std::string> update(const Rooms& rooms, const Call& call) {
  return answer_with(rooms, call,
                     TRY(rooms.models.describe(call.project(), call.text("name"), call.text("description"))));
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(rooms.models.remove(call.project(), call.text("name")));
  return std::string("{}");
}

Result<std::string> search(const Rooms& rooms, const Call& call) {
  const auto search = TRY(read_search(call, kSearchDefault, kSearchMax));
  const auto page = TRY(rooms.models.search(call.project(), search));
  JsonWriter json;
  json.begin_object().key("registered_models").begin_array();
  for (const auto& model : page.items)
    write(json, model, TRY(rooms.models.latest_versions(call.project(), model.name, {})));
  json.end_array();
  if (!page.next_page_token.empty()) json.member("next_page_token", page.next_page_token);
  json.end_object();
  return json.take();
}

Result<std::string> latest_versions(const Rooms& rooms, const Call& call) {
  const auto versions = TRY(rooms.models.latest_versions(call.project(), call.text("name"), call.texts("stages")));
  JsonWriter json;
  json.begin_object().key("model_versions").begin_array();
  for (const auto& version : versions) write(json, version);
  json.end_array().end_object();
  return json.take();
}

Result<std::string> set_tag(const Rooms& rooms, const Call& call) {
  TRY(rooms.models.set_tag(call.project(), call.text("name"), call.text("key"), call.text("value")));
  return std::string("{}");
}

Result<std::string> delete_tag(const Rooms& rooms, const Call& call) {
  TRY(rooms.models.remove_tag(call.project(), call.text("name"), call.text("key")));
  return std::string("{}");
}

Result<std::string> set_alias(const Rooms& rooms, const Call& call) {
  const auto version = call.integer("version");
  TRY(rooms.models.set_alias(call.project(), call.text("name"), call.text("alias"), version.value_or(0),
                             caller_of(call.request()).name, "set by an MLflow client"));
  return std::string("{}");
}

Result<std::string> delete_alias(const Rooms& rooms, const Call& call) {
  TRY(rooms.models.remove_alias(call.project(), call.text("name"), call.text("alias"), caller_of(call.request()).name,
                                "removed by an MLflow client"));
  return std::string("{}");
}

Result<std::string> get_by_alias(const Rooms& rooms, const Call& call) {
  auto found = rooms.models.version_of_alias(call.project(), call.text("name"), call.text("alias"));
  if (!found.ok() && found.error().code == ErrorCode::not_found &&
      rooms.models.get(call.project(), call.text("name")).ok()) {
    // Clients expect this code for an alias that a model does not have.
    return Error{ErrorCode::invalid_argument, fmt::format("Registered model alias {} not found.", call.text("alias"))};
  }
  if (!found.ok()) return found.error();
  JsonWriter json;
  json.begin_object().key("model_version");
  write(json, *found);
  json.end_object();
  return json.take();
}

const Field kName{"name", FieldType::text, true};
const Field kKey{"key", FieldType::text, true};
const Field kAlias{"alias", FieldType::text, true};
const std::vector<Field> kLatest{kName, {"stages", FieldType::texts}};

}  // namespace

std::span<const Endpoint> model_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post, "mlflow/registered-models/create", {kName, {"tags", FieldType::objects}, {"description"}}, create},
      {Method::get, "mlflow/registered-models/get", {kName}, get},
      {Method::post, "mlflow/registered-models/rename", {kName, {"new_name", FieldType::text, true}}, rename},
      {Method::patch, "mlflow/registered-models/update", {kName, {"description"}}, update},
      {Method::del, "mlflow/registered-models/delete", {kName}, remove},
      {Method::get,
       "mlflow/registered-models/search",
       {{"filter"}, {"max_results", FieldType::integer}, {"order_by", FieldType::texts}, {"page_token"}},
       search},
      {Method::get, "mlflow/registered-models/get-latest-versions", kLatest, latest_versions},
      {Method::post, "mlflow/registered-models/get-latest-versions", kLatest, latest_versions},
      {Method::post, "mlflow/registered-models/set-tag", {kName, kKey, {"value"}}, set_tag},
      {Method::del, "mlflow/registered-models/delete-tag", {kName, kKey}, delete_tag},
      {Method::post,
       "mlflow/registered-models/alias",
       {kName, kAlias, {"version", FieldType::integer, true}},
       set_alias},
      {Method::del, "mlflow/registered-models/alias", {kName, kAlias}, delete_alias},
      {Method::get, "mlflow/registered-models/alias", {kName, kAlias}, get_by_alias},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow

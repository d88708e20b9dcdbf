#include "api/mlflow/endpoint.h"

#include <fmt/format.h>

#include "api/api.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

constexpr const char* kSeeDocs = " See the API docs for more information about request parameters.";

/// The name Python gives to the type of a JSON value; clients' tests look for it.
const char* python_type(const Json& value) {
  if (value.is_null()) return "NoneType";
  if (value.is_bool()) return "bool";
  if (value.is_integer()) return "int";
  if (value.is_number()) return "float";
  if (value.is_string()) return "str";
  return value.is_array() ? "list" : "dict";
}

Error wrong_type(const Field& field, const Json& value) {
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid value {} for parameter '{}' supplied:  Hint: Value was of type '{}'.{}",
                           clean_utf8(value.render(), 200), field.name, python_type(value), kSeeDocs)};
}

Result<Json> convert(const Field& field, const Json& value) {
  switch (field.type) {
    case FieldType::text:
      if (value.is_string()) return value;
      break;
    case FieldType::choice:
      if (value.is_string() || value.integer()) return value;
      break;
    case FieldType::integer:
      if (const auto number = value.is_string() ? parse_i64(value.string()) : value.integer()) return Json(*number);
      break;
    case FieldType::number:
      if (const auto number = value.is_string() ? parse_double(value.string()) : value.number()) return Json(*number);
      break;
    case FieldType::boolean:
      if (value.is_bool()) return value;
      if (value.is_string() && equals_ignore_case(value.string(), "true")) return Json(true);
      if (value.is_string() && equals_ignore_case(value.string(), "false")) return Json(false);
      if (value.is_string()) {
        return Error{ErrorCode::invalid_argument, fmt::format("Invalid boolean value: {}, must be 'true' or 'false'.",
                                                              clean_utf8(value.string(), 100))};
      }
      break;
    case FieldType::any: return value;
    case FieldType::object:
      if (value.is_object()) return value;
      break;
    case FieldType::texts:
    case FieldType::objects:
      if (!value.is_array()) break;
      for (const Json& item : value.array()) {
        if (field.type == FieldType::texts ? !item.is_string() : !item.is_object()) return wrong_type(field, value);
      }
      return value;
  }
  return wrong_type(field, value);
}

/// A GET's query as an object: lists for repeated fields.
Json query_object(const http::Request& request, std::span<const Field> fields) {
  Json out{Json::Object{}};
  for (const auto& [given, value] : request.query) {
    const std::string key = given == "run_uuid" ? "run_id" : given;
    const auto is_it = [&](const Field& f) { return key == f.name; };
    const auto field = std::find_if(fields.begin(), fields.end(), is_it);
    if (field == fields.end()) continue;
    if (field->type != FieldType::texts) {
      if (out[key].is_null()) out.set(key, value);
      continue;
    }
    Json list = out[key].is_null() ? Json(Json::Array{}) : out[key];
    out.set(key, std::move(list.push(value)));
  }
  return out;
}

bool is_json_type(std::string_view type) {
  const std::string_view bare = trim(type.substr(0, type.find(';')));
  return bare.empty() || equals_ignore_case(bare, "application/json");
}

}  // namespace

ProjectId Call::project() const { return project_of(request_); }

std::vector<std::string> Call::texts(std::string_view field) const {
  std::vector<std::string> out;
  for (const Json& item : list(field)) out.push_back(item.string());
  return out;
}

tracking::KeyValues Call::pairs(std::string_view field) const {
  tracking::KeyValues out;
  for (const Json& item : list(field)) out.emplace_back(item["key"].string(), item["value"].string());
  return out;
}

Error missing_value(std::string_view path) {
  return {ErrorCode::invalid_argument, fmt::format("Missing value for required parameter '{}'.", path)};
}

Error missing_parameter(std::string_view field) {
  return {ErrorCode::invalid_argument, fmt::format("Missing value for required parameter '{}'.{}", field, kSeeDocs)};
}

Error invalid_value(std::string_view path, const Json& value, std::string_view why) {
  return {ErrorCode::invalid_argument,
          fmt::format("Invalid value {} for parameter '{}' supplied: {}", clean_utf8(value.render(), 400), path, why)};
}

Result<Json> read_body(const http::Request& request) {
  if (!is_json_type(request.headers.get("Content-Type"))) {
    return Error{ErrorCode::invalid_argument, "Bad Request. Content-Type must be application/json."};
  }
  if (trim(request.body).empty()) return Json(Json::Object{});
  Json body = TRY(Json::parse(request.body));
  if (body.is_string()) body = TRY(Json::parse(std::string(body.string())));
  if (!body.is_object())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the body is a JSON {}; expected an object", body.type_name())};
  if (body["run_id"].is_null() && !body["run_uuid"].is_null()) body.set("run_id", Json(body["run_uuid"]));
  return body;
}

Result<Json> read_fields(const http::Request& request, std::span<const Field> fields) {
  const bool from_query = request.method == http::Method::get;
  Json given = from_query ? query_object(request, fields) : TRY(read_body(request));
  for (const auto& [name, value] : request.parameters) given.set(name, value);
  Json out{Json::Object{}};
  for (const Field& field : fields) {
    const Json& value = given[field.name];
    const bool is_empty = value.is_null() || (value.is_string() && value.string().empty());
    if (is_empty && field.required) return missing_parameter(field.name);
    if (!value.is_null()) out.set(field.name, TRY(convert(field, value)));
  }
  return out;
}

Result<registry::Search> read_search(const Call& call, std::int64_t page_default, std::int64_t page_max) {
  registry::Search search{call.text("filter"), call.texts("order_by"),
                          call.integer("max_results").value_or(page_default), call.text("page_token")};
  if (search.page_size >= 1 && search.page_size <= page_max) return search;
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid value for request parameter max_results. It must be at most {}, but got value {}",
                           page_max, search.page_size)};
}

http::Response mlflow_error(const Error& error) {
  struct Mapping {
    int status;
    const char* name;
  };
  const auto mapping = [&]() -> Mapping {
    switch (error.code) {
      case ErrorCode::invalid_argument:
      // MLflow calls it INVALID_STATE and answers 500, which its client would try seven times.
      case ErrorCode::failed_precondition:
      case ErrorCode::too_large: return {400, "INVALID_PARAMETER_VALUE"};
      case ErrorCode::not_found: return {404, "RESOURCE_DOES_NOT_EXIST"};
      case ErrorCode::already_exists: return {400, "RESOURCE_ALREADY_EXISTS"};
      case ErrorCode::permission_denied: return {403, "PERMISSION_DENIED"};
      case ErrorCode::unauthenticated: return {401, "UNAUTHENTICATED"};
      case ErrorCode::unsupported: return {501, "NOT_IMPLEMENTED"};
      case ErrorCode::cancelled: return {499, "CANCELLED"};
      case ErrorCode::timed_out: return {504, "DEADLINE_EXCEEDED"};
      case ErrorCode::busy:
      case ErrorCode::unavailable: return {503, "TEMPORARILY_UNAVAILABLE"};
      case ErrorCode::data_loss: return {500, "DATA_LOSS"};
      case ErrorCode::internal: break;
    }
    return {500, "INTERNAL_ERROR"};
  }();
  JsonWriter json;
  json.begin_object().member("error_code", mapping.name).member("message", error.message).end_object();
  http::Response response = http::Response::json(json.take(), mapping.status);
  if (mapping.status == 401) response.headers.set("WWW-Authenticate", "Basic realm=\"mlflow\"");
  if (mapping.status == 503) response.headers.set("Retry-After", "1");
  return response;
}

}  // namespace slipway::api::mlflow

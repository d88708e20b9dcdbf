#include "api/api.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::api {
namespace {

constexpr int kPageSizeMax = 1000;
constexpr int kPageSizeDefault = 100;
constexpr const char* kRetryAfterSeconds = "1";

const char* article(std::string_view noun) { return noun.find_first_of("aeiou") == 0 ? "an" : "a"; }

Error wrong_type(std::string_view key, const Json& found, std::string_view expected) {
  return Error{ErrorCode::invalid_argument, fmt::format("'{}' is {} {} in the request; expected {}", key,
                                                        article(found.type_name()), found.type_name(), expected)};
}

}  // namespace

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::not_found: return 404;
    case ErrorCode::already_exists: return 409;
    case ErrorCode::failed_precondition: return 412;
    case ErrorCode::permission_denied: return 403;
    case ErrorCode::unauthenticated: return 401;
    case ErrorCode::busy: return 503;
    case ErrorCode::too_large: return 413;
    case ErrorCode::unsupported: return 501;
    case ErrorCode::cancelled: return 499;
    case ErrorCode::timed_out: return 504;
    case ErrorCode::unavailable: return 503;
    case ErrorCode::data_loss: return 500;
    case ErrorCode::internal: return 500;
  }
  return 500;
}

http::Response error_response(const Error& error) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.member("code", name(error.code)).member("message", error.message).key("details").begin_object().end_object();
  json.end_object().end_object();
  http::Response response = http::Response::json(json.take(), http_status(error.code));
  if (response.status == 503) response.headers.set("Retry-After", kRetryAfterSeconds);
  if (response.status == 401) response.headers.set("WWW-Authenticate", "Basic realm=\"slipway\"");
  return response;
}

Result<Json> json_body(const http::Request& request) {
  if (trim(request.body).empty()) return Json(Json::Object{});
  Json body = TRY(Json::parse(request.body));
  if (!body.is_object()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the body is a JSON {}; expected an object", body.type_name())};
  }
  return body;
}

Result<std::string> required_string(const Json& object, std::string_view key) {
  const Json& value = object[key];
  if (value.is_null()) return Error{ErrorCode::invalid_argument, fmt::format("'{}' is missing from the request", key)};
  if (!value.is_string()) return wrong_type(key, value, "a string");
  if (value.string().empty())
    return Error{ErrorCode::invalid_argument, fmt::format("'{}' is empty in the request", key)};
  return value.string();
}

Result<std::string> optional_string(const Json& object, std::string_view key, std::string_view otherwise) {
  const Json& value = object[key];
  if (value.is_null()) return std::string(otherwise);
  if (!value.is_string()) return wrong_type(key, value, "a string");
  return value.string();
}

Result<std::int64_t> optional_integer(const Json& object, std::string_view key, std::int64_t otherwise) {
  const Json& value = object[key];
  if (value.is_null()) return otherwise;
  const auto number = value.integer();
  if (!number) return wrong_type(key, value, "a whole number");
  return *number;
}

Result<double> optional_number(const Json& object, std::string_view key, double otherwise) {
  const Json& value = object[key];
  if (value.is_null()) return otherwise;
  const auto number = value.number();
  if (!number) return wrong_type(key, value, "a number");
  return *number;
}

Result<bool> optional_boolean(const Json& object, std::string_view key, bool otherwise) {
  const Json& value = object[key];
  if (value.is_null()) return otherwise;
  const auto truth = value.boolean();
  if (!truth) return wrong_type(key, value, "true or false");
  return *truth;
}

Result<bool> query_flag(const http::Request& request, std::string_view name) {
  const auto given = request.query_value(name);
  if (!given || *given == "false") return false;
  if (*given == "true") return true;
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' is '{}'; expected true or false", name, clean_utf8(*given, 50))};
}

Result<Json> optional_object(const Json& object, std::string_view key) {
  const Json& value = object[key];
  if (value.is_null() || value.is_object()) return value;
  return wrong_type(key, value, "an object");
}

Result<Json::Array> optional_array(const Json& object, std::string_view key) {
  const Json& value = object[key];
  if (value.is_null()) return Json::Array{};
  if (!value.is_array()) return wrong_type(key, value, "an array");
  return value.array();
}

Result<std::vector<std::string>> optional_texts(const Json& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const Json& item : TRY(optional_array(object, key))) {
    if (!item.is_string()) return wrong_type(std::string(key) + "[]", item, "a string");
    texts.push_back(item.string());
  }
  return texts;
}

Result<std::vector<std::pair<std::string, std::string>>> optional_text_pairs(const Json& object, std::string_view key) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const Json members = TRY(optional_object(object, key));
  for (const auto& [name, value] : members.object()) {
    if (!value.is_string()) return wrong_type(std::string(key) + "." + name, value, "a string");
    pairs.emplace_back(name, value.string());
  }
  return pairs;
}

Result<Page> page_of(const http::Request& request) {
  Page page{kPageSizeDefault, std::string(request.query_value("page_token").value_or(""))};
  if (const auto size = request.query_value("page_size")) {
    const auto number = parse_i64(*size);
    if (!number || *number < 1 || *number > kPageSizeMax) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("page_size is '{}'; expected 1 to {}", clean_utf8(*size, 40), kPageSizeMax)};
    }
    page.size = static_cast<int>(*number);
  }
  return page;
}

Json time_json(const std::optional<Time>& time) { return time ? Json(render(*time)) : Json(); }

}  // namespace slipway::api

// The front door of api: translation only. A file per resource under native/, a folder per foreign protocol. Handlers
// parse a request into domain types, call one room, and render its answer; decisions live in the rooms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/ids.h"
#include "http/http.h"

namespace slipway::api {

/// The one table from error codes to HTTP status.
int http_status(ErrorCode code);

/// `{"error":{"code","message","details":{}}}` with the status of its code; busy and unavailable carry Retry-After.
http::Response error_response(const Error& error);

/// Answers with `ok(value)` or with the error.
template <typename T, typename Render>
void answer(const http::Responder& responder, const Result<T>& result, Render render) {
  if (result.ok()) {
    responder.send(render(result.value()));
  } else {
    responder.send(error_response(result.error()));
  }
}

/// The JSON object in a request's body; an empty body is an empty object. invalid_argument otherwise.
Result<Json> json_body(const http::Request& request);

/// Members of a JSON object with their types checked; the error names the member, what was found and what is expected.
Result<std::string> required_string(const Json& object, std::string_view key);
Result<std::string> optional_string(const Json& object, std::string_view key, std::string_view otherwise = "");
Result<std::int64_t> optional_integer(const Json& object, std::string_view key, std::int64_t otherwise);
Result<double> optional_number(const Json& object, std::string_view key, double otherwise);
Result<bool> optional_boolean(const Json& object, std::string_view key, bool otherwise);
/// An object, or null when it is absent or null.
Result<Json> optional_object(const Json& object, std::string_view key);
/// An array; empty when it is absent or null.
Result<Json::Array> optional_array(const Json& object, std::string_view key);
/// An array of texts; empty when it is absent or null.
Result<std::vector<std::string>> optional_texts(const Json& object, std::string_view key);
/// An object of texts; empty when it is absent or null.
Result<std::vector<std::pair<std::string, std::string>>> optional_text_pairs(const Json& object, std::string_view key);

/// Whether a query says `name=true`; false when it has no `name`. invalid_argument for anything but true and false.
Result<bool> query_flag(const http::Request& request, std::string_view name);

/// `page_size` (1 to 1000, default 100) and `page_token` of a list request.
struct Page {
  int size = 100;
  std::string token;
};
Result<Page> page_of(const http::Request& request);

/// Who asks. The gate (api/gate.h) puts it into the request as headers no client can set.
struct Caller {
  MemberId member;
  std::string name;
  bool admin = false;
  std::optional<RunId> run;  // set when the credential is a run's own short-lived token
};
Caller caller_of(const http::Request& request);

/// The project a request is about: header X-Slipway-Project or ?project=, else `default`.
ProjectId project_of(const http::Request& request);

/// Time in answers: RFC 3339, or JSON null for none.
Json time_json(const std::optional<Time>& time);
inline Json time_json(Time time) { return time_json(std::optional(time)); }

}  // namespace slipway::api

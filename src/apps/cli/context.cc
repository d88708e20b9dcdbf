#include <unistd.h>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

constexpr std::uint64_t kBackMax = 10'000;  // of latest~N

/// What a failed request says, in the server's own words where it has some.
Error error_of(const http::ClientResponse& response, std::string_view path) {
  ErrorCode code = ErrorCode::internal;
  if (response.status == 400 || response.status == 422) code = ErrorCode::invalid_argument;
  if (response.status == 401) code = ErrorCode::unauthenticated;
  if (response.status == 403) code = ErrorCode::permission_denied;
  if (response.status == 404) code = ErrorCode::not_found;
  if (response.status == 409) code = ErrorCode::already_exists;
  if (response.status == 412) code = ErrorCode::failed_precondition;
  if (response.status == 413) code = ErrorCode::too_large;
  if (response.status == 429 || response.status == 503) code = ErrorCode::busy;
  const auto json = Json::parse(response.body);
  if (json.ok()) {
    const std::string& message = (*json)["error"]["message"].string();
    if (!message.empty()) return {code, message};
  }
  return {code, "the server answered " + std::to_string(response.status) + " to " + std::string(path)};
}

}  // namespace

const std::string& Arguments::get(const std::string& name) const {
  static const std::string empty;
  if (const auto at = values.find(name); at != values.end() && !at->second.empty()) return at->second.back();
  if (const auto at = defaults.find(name); at != defaults.end()) return at->second;
  return empty;
}

const std::vector<std::string>& Arguments::all(const std::string& name) const {
  static const std::vector<std::string> none;
  const auto at = values.find(name);
  return at == values.end() ? none : at->second;
}

bool Arguments::has(const std::string& name) const { return values.count(name) > 0; }

Result<std::int64_t> Arguments::integer(const std::string& name) const {
  const auto value = parse_i64(get(name));
  if (!value) return Error{ErrorCode::invalid_argument, "--" + name + " takes a whole number, not '" + get(name) + "'"};
  return *value;
}

Result<double> Arguments::number(const std::string& name) const {
  const auto value = parse_double(get(name));
  if (!value) return Error{ErrorCode::invalid_argument, "--" + name + " takes a number, not '" + get(name) + "'"};
  return *value;
}

Context::Context(Settings settings) : settings_(std::move(settings)) {}

bool Context::stdout_is_terminal() const { return !json() && ::isatty(STDOUT_FILENO) != 0; }
bool Context::stderr_is_terminal() const { return !json() && ::isatty(STDERR_FILENO) != 0; }

Result<http::Client*> Context::client() {
  if (!client_) {
    http::ClientOptions options;
    options.bearer_token = settings_.token;
    client_ = TRY(http::Client::open(settings_.url, options));
  }
  return &*client_;
}

http::Headers Context::headers() const {
  http::Headers headers;
  headers.add("X-Slipway-Project", settings_.project);
  return headers;
}

Result<Json> Context::send(http::Method method, std::string_view path, const std::string& body) {
  http::Client* connection = TRY(client());
  auto response = connection->request(method, path, body, "application/json", headers());
  if (!response.ok() && response.error().code == ErrorCode::unavailable) {
    return Error{ErrorCode::unavailable,
                 "no server answers at " + settings_.url +
                     "; start one with `slipway server`, or name it with --server or SLIPWAY_URL"};
  }
  const http::ClientResponse answer = TRY(std::move(response));
  if (answer.status >= 400) return error_of(answer, path);
  if (answer.body.empty()) return Json(Json::Object{});
  return Json::parse(answer.body);
}

Result<Json> Context::get(std::string_view path) { return send(http::Method::get, path, ""); }
Result<Json> Context::post(std::string_view path, const Json& body) {
  return send(http::Method::post, path, body.render());
}
Result<Json> Context::put(std::string_view path, const Json& body) {
  return send(http::Method::put, path, body.render());
}
Result<Json> Context::patch(std::string_view path, const Json& body) {
  return send(http::Method::patch, path, body.render());
}
Result<Json> Context::del(std::string_view path) { return send(http::Method::del, path, ""); }

Result<Json::Array> Context::list(std::string_view path, std::string_view plural, size_t most) {
  Json::Array items;
  std::string token;
  do {
    std::string target(path);
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += "page_size=" + std::to_string(std::min<size_t>(most - items.size(), 1000));
    if (!token.empty()) target += "&page_token=" + http::url_encode(token);
    const Json page = TRY(get(target));
    for (const Json& item : page[plural].array()) items.push_back(item);
    token = page["next_page_token"].string();
  } while (!token.empty() && items.size() < most);
  return items;
}

Result<std::string> resolve_id(Context& context, const std::string& text, std::string_view list_path,
                               std::string_view plural) {
  constexpr std::string_view kLatest = "latest";
  if (!text.starts_with(kLatest)) return text;
  const std::string_view rest = std::string_view(text).substr(kLatest.size());
  const auto before = rest.empty()            ? std::optional<std::uint64_t>(0)
                      : rest.starts_with("~") ? parse_u64(rest.substr(1))
                                              : std::nullopt;
  if (!before || *before >= kBackMax) return text;
  const Json::Array found = TRY(context.list(list_path, plural, static_cast<size_t>(*before) + 1));
  if (found.size() > *before) return found[*before]["id"].string();
  const std::string what(plural);
  return Error{ErrorCode::not_found, found.empty() ? "there are no " + what + " yet"
                                                   : "there is no '" + text + "': only " +
                                                         std::to_string(found.size()) + " " + what + " so far"};
}

}  // namespace slipway::cli

#include "http/head.h"

#include "base/log.h"
#include "base/text.h"
#include "http/answer.h"
#include "http/encoding.h"
#include "http/sharing.h"
#include "http/url.h"

namespace slipway::http {

namespace beast = boost::beast;

namespace {

std::optional<Method> convert(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get: return Method::get;
    case beast::http::verb::head: return Method::head;
    case beast::http::verb::post: return Method::post;
    case beast::http::verb::put: return Method::put;
    case beast::http::verb::patch: return Method::patch;
    case beast::http::verb::delete_: return Method::del;
    case beast::http::verb::options: return Method::options;
    default: return std::nullopt;
  }
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Response no_route(const Router::Impl& router, const Request& request, const Match& match) {
  const int status = match.allowed.empty() ? 404 : 405;
  Response response =
      router.fallback ? router.fallback(request, status)
      : status == 404
          ? refusal(404, "not_found", "there is nothing at " + clean_utf8(request.path, 200))
          : refusal(405, "unsupported",
                    clean_utf8(request.path, 200) + " does not answer to " + std::string(name(request.method)));
  if (status == 405) response.headers.set("Allow", match.render_allowed());
  return response;
}

/// Also a refusal may be read by pages that may call.
Response shared(const Request& request, Response response) {
  add_sharing(request, response);
  return response;
}

}  // namespace

std::optional<Response> answer_to_bad_head(boost::system::error_code problem, size_t head_bytes_max) {
  using Bad = beast::http::error;
  if (problem == Bad::header_limit || problem == Bad::buffer_overflow) {
    return refusal(431, "too_large", "the head of the request is larger than " + render_bytes(head_bytes_max));
  }
  for (const Bad bad : {Bad::bad_line_ending, Bad::bad_method, Bad::bad_target, Bad::bad_version, Bad::bad_field,
                        Bad::bad_value, Bad::bad_content_length, Bad::bad_transfer_encoding, Bad::bad_chunk,
                        Bad::bad_chunk_extension, Bad::bad_obs_fold, Bad::multiple_content_length}) {
    if (problem == bad)
      return refusal(400, "invalid_argument", "this is no valid HTTP/1.1 request: " + problem.message());
  }
  return std::nullopt;
}

std::optional<Response> fill_request(const HeadParser& head, Request& request) {
  const auto& message = head.get();
  request = Request();
  request.target = view(message.target());
  for (const auto& field : message)
    request.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  const auto method = convert(message.method());
  if (!method)
    return refusal(501, "unsupported",
                   "the method " + clean_utf8(view(message.method_string()), 20) + " is not known here");
  request.method = *method;
  const size_t hosts = message.count(beast::http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= 11))
    return refusal(400, "invalid_argument",
                   "an HTTP/1.1 request has exactly one Host field, this one has " + std::to_string(hosts));
  if (request.headers.has("Transfer-Encoding") && !head.chunked())
    return refusal(400, "invalid_argument", "the only Transfer-Encoding known here is chunked");
  const std::string_view target = request.target;
  if (!target.starts_with('/')) return refusal(400, "invalid_argument", "the request target must begin with '/'");
  const size_t question = std::min(target.find('?'), target.size());
  request.path = url_decode(target.substr(0, question));
  if (question < target.size()) request.query = parse_query(target.substr(question + 1));
  return std::nullopt;
}

std::optional<Response> find_route(const Router::Impl& router, Request& request, const Route*& route) {
  route = nullptr;
  for (const auto& gate : router.gates) {
    if (auto answer = gate(request)) return shared(request, std::move(*answer));
  }
  // A copy: the matched values point into it.
  const std::string raw_path = request.target.substr(0, request.target.find('?'));
  const Match match = router.find(request.method, raw_path);
  route = match.route;
  if (!route) return shared(request, no_route(router, request, match));
  for (size_t i = 0; i < match.values.size(); ++i)
    request.parameters.emplace_back(route->parameter_names[i], url_decode(match.values[i]));
  return std::nullopt;
}

Response body_too_large(const Request& request, const Route& route) {
  return shared(request,
                refusal(413, "too_large",
                        "the body of " + std::string(name(request.method)) + " " + clean_utf8(request.path, 200) +
                            " may have at most " + render_bytes(route.options.body_bytes_max)));
}

bool open_body(Request& request, const Route& route, const Responder& responder) {
  const std::string_view encoding = request.headers.get("Content-Encoding");
  if (encoding.empty()) return true;
  auto decoded = decode_body(encoding, std::move(request.body), route.options.body_bytes_max);
  if (decoded.ok()) {
    request.body = std::move(*decoded);
    return true;
  }
  const ErrorCode code = decoded.error().code;
  responder.send(refusal(code == ErrorCode::too_large     ? 413
                         : code == ErrorCode::unsupported ? 415
                                                          : 400,
                         slipway::name(code), decoded.error().message));
  return false;
}

void call_handler(Exchange& exchange, const std::function<void()>& body) {
  try {
    return body();
  } catch (const std::exception& problem) {
    log_error("http", "a handler threw", {{"target", exchange.request.target}, {"error", problem.what()}});
  } catch (...) {
    log_error("http", "a handler threw what is no std::exception", {{"target", exchange.request.target}});
  }
  exchange.fail();
}

std::string chunk_head(size_t bytes) {
  char text[24];
  std::snprintf(text, sizeof text, "%zx\r\n", bytes);
  return text;
}

}  // namespace slipway::http

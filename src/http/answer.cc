#include "http/answer.h"

#include <boost/beast/http/status.hpp>

#include <ctime>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace slipway::http {
namespace {

constexpr std::string_view kNoSniff = "X-Content-Type-Options";

std::string_view reason(int status) {
  const auto text = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {text.data(), text.size()};
}

/// "Date: …\r\n", made once a second per thread.
const std::string& date_line() {
  thread_local std::time_t made_at = 0;
  thread_local std::string line;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[64];
    std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    line = text;
    made_at = now;
  }
  return line;
}

bool is_compressible_type(std::string_view type) {
  return type.starts_with("text/") || type.starts_with("application/json") ||
         type.starts_with("application/javascript") || type.starts_with("image/svg");
}

bool is_name(std::string_view name) {
  const auto is_token = [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token);
}

bool is_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

bool is_ours(std::string_view name) {
  switch (name.size()) {
    case 4: return equals_ignore_case(name, "Date");
    case 10: return equals_ignore_case(name, "Connection");
    case 14: return equals_ignore_case(name, "Content-Length");
    case 17: return equals_ignore_case(name, "Transfer-Encoding");
    default: return false;
  }
}

}  // namespace

Response refusal(int status, std::string_view code, std::string_view message) {
  std::string body = R"({"error":{"code":")" + std::string(code) + R"(","message":)";
  append_json_string(body, message);
  Response response = Response::json(body + R"(,"details":{}}})", status);
  if (status == 503 || status == 429) response.headers.set("Retry-After", "1");
  return response;
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string render_head(const Response& response, const Framing& framing) {
  std::string head;
  head.reserve(320);
  head.append("HTTP/1.1 ")
      .append(std::to_string(response.status))
      .append(" ")
      .append(reason(response.status))
      .append("\r\n");
  for (const auto& [key, value] : response.headers.all()) {
    if (is_ours(key)) continue;
    if (!is_name(key) || !is_value(value)) {
      log_error("http", "a header field of an answer was left out: it would write lines of its own", {{"name", key}});
      continue;
    }
    head.append(key).append(": ").append(value).append("\r\n");
  }
  // What somebody stored is shown as the type it has, never as one that a browser guesses.
  if (!response.headers.has(kNoSniff)) head.append(kNoSniff).append(": nosniff\r\n");
  if (framing.length && may_have_body(response.status))
    head.append("Content-Length: ").append(std::to_string(*framing.length)).append("\r\n");
  if (framing.chunked) head.append("Transfer-Encoding: chunked\r\n");
  head.append(date_line());
  if (!framing.keep_alive) head.append("Connection: close\r\n");
  if (framing.keep_alive && framing.is_http_1_0) head.append("Connection: keep-alive\r\n");
  head.append("\r\n");
  return head;
}

void compress(Response& response, Encoding accepted) {
  if (!response.compressible || response.body.size() < kCompressBytesMin || !may_have_body(response.status) ||
      response.status == 206)
    return;
  if (response.headers.has("Content-Encoding") || !is_compressible_type(response.headers.get("Content-Type"))) return;
  response.headers.add("Vary", "Accept-Encoding");
  if (accepted == Encoding::identity) return;
  response.body = encode_body(accepted, response.body);
  response.headers.add("Content-Encoding", std::string(name(accepted)));
  // The bytes are no longer those that a strong tag names (RFC 9110 8.8.1).
  const std::string tag(response.headers.get("ETag"));
  if (tag.starts_with('"')) response.headers.set("ETag", "W/" + tag);
}

}  // namespace slipway::http

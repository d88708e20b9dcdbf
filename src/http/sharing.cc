#include "http/sharing.h"

#include <algorithm>

namespace slipway::http {
namespace {

constexpr char kSharedWith[] = "X-Slipway-Internal-Shared-With";
constexpr size_t kHeaderListBytesMax = 1024;

bool is_header_list(std::string_view text) {
  const auto is_part = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == ',' || c == ' '; };
  return text.size() <= kHeaderListBytesMax && std::all_of(text.begin(), text.end(), is_part);
}

}  // namespace

void share_answer(Request& request, std::string_view origin) {
  if (!origin.empty() || request.headers.has(kSharedWith)) request.headers.set(kSharedWith, std::string(origin));
}

void add_sharing(const Request& request, Response& response) {
  const std::string_view origin = request.headers.get(kSharedWith);
  if (origin.empty()) return;
  response.headers.set("Access-Control-Allow-Origin", std::string(origin))
      .set("Access-Control-Expose-Headers", "ETag, Content-Range, Content-Disposition, Retry-After")
      .add("Vary", "Origin");
}

bool is_preflight(const Request& request) {
  return request.method == Method::options && request.headers.has("Access-Control-Request-Method");
}

Response preflight_answer(const Request& request) {
  Response response = Response::empty();
  const std::string_view wanted = request.headers.get("Access-Control-Request-Headers");
  response.headers.set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
      .set("Access-Control-Max-Age", "600");
  if (!wanted.empty() && is_header_list(wanted))
    response.headers.set("Access-Control-Allow-Headers", std::string(wanted));
  return response;
}

}  // namespace slipway::http

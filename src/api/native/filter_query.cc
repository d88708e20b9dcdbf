#include "api/native/filter_query.h"

#include "base/text.h"

namespace slipway::api {

namespace {

using Parse = Result<Filter> (*)(std::string_view text, FilterPlace* place);

std::optional<http::Response> read_by(Parse parse, const http::Request& request, Filter& filter) {
  FilterPlace place;
  auto parsed = parse(request.query_value("filter").value_or(""), &place);
  if (parsed.ok()) {
    filter = std::move(*parsed);
    return std::nullopt;
  }
  return refused_filter(parsed.error(), place);
}

}  // namespace

std::optional<http::Response> read_filter(const http::Request& request, Filter& filter) {
  return read_by(parse_filter, request, filter);
}

std::optional<http::Response> read_pattern_filter(const http::Request& request, Filter& filter) {
  return read_by(parse_pattern_filter, request, filter);
}

http::Response refused_filter(const Error& why, const FilterPlace& place) {
  Json error;
  error.set("code", name(why.code)).set("message", why.message);
  error.set("details", Json()
                           .set("position", static_cast<std::int64_t>(place.position))
                           .set("length", static_cast<std::int64_t>(place.length)));
  return http::Response::json(Json().set("error", std::move(error)).render(), http_status(why.code));
}

Result<std::vector<OrderTerm>> order_of(const http::Request& request) {
  std::vector<OrderTerm> order;
  for (const auto& [key, value] : request.query) {
    if (key != "order_by") continue;
    for (const std::string& term : split(value, ',')) {
      if (!trim(term).empty()) order.push_back(TRY(parse_order(term)));
    }
  }
  return order;
}

}  // namespace slipway::api

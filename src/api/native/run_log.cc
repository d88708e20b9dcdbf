#include "api/native/run_log.h"

#include <fmt/format.h>

#include "api/api.h"
#include "base/text.h"
#include "runs/log_search.h"

namespace slipway::api {
namespace {

using http::Request;
using http::Responder;

constexpr std::uint64_t kPieceBytes = 1 << 20;

RunId id_of(const Request& request) { return RunId(request.parameter("run")); }

/// A whole number of at least `least` in the query.
Result<std::uint64_t> number_of(const Request& request, const char* name, std::uint64_t least,
                                std::uint64_t otherwise) {
  const auto given = request.query_value(name);
  if (!given) return otherwise;
  const auto number = parse_u64(*given);
  if (number && *number >= least && *number <= INT64_MAX) return *number;
  return Error{ErrorCode::invalid_argument, fmt::format("'{}' is '{}'; expected a whole number of at least {}", name,
                                                        clean_utf8(*given, 50), least)};
}

Result<runs::LogQuery> query_of(const Request& request) {
  runs::LogQuery query;
  query.pattern = std::string(request.query_value("pattern").value_or(""));
  if (query.pattern.empty() || query.pattern.size() > runs::kLogPatternBytesMax ||
      query.pattern.find_first_of("\r\n") != std::string::npos)
    return Error{ErrorCode::invalid_argument, fmt::format("'pattern' has {} bytes; expected 1 to {} of one line",
                                                          query.pattern.size(), runs::kLogPatternBytesMax)};
  query.match_case = TRY(query_flag(request, "match_case"));
  query.from.offset = TRY(number_of(request, "offset", 0, 0));
  query.from.line = static_cast<std::int64_t>(TRY(number_of(request, "line", 1, 1)));
  query.hits_max = std::min<std::uint64_t>(TRY(number_of(request, "limit", 1, runs::kLogHitsMax)), runs::kLogHitsMax);
  if (request.query_value("line_at")) query.line_at = TRY(number_of(request, "line_at", 0, 0));
  return query;
}

Json place_json(const runs::LogPlace& place) { return Json().set("offset", place.offset).set("line", place.line); }

Result<Json> search(runs::Runs& runs, const Request& request) {
  const runs::LogQuery query = TRY(query_of(request));
  TRY(runs.get(project_of(request), id_of(request)));
  const auto found = TRY(runs::search_log(runs.log(), id_of(request), query));
  Json::Array hits;
  for (const auto& hit : found.hits) hits.push_back(place_json(hit.place).set("text", hit.text));
  Json json = Json().set("hits", std::move(hits)).set("next", place_json(found.next)).set("end", found.is_end);
  return json.set("line_at", found.line_at ? Json(*found.line_at) : Json());
}

/// As much as there is now. Goes out as it is read; damage in the middle cuts the answer short.
void send_file(runs::Runs& runs, const Request& request, const Responder& responder) {
  const auto execution = runs.get(project_of(request), id_of(request));
  if (!execution.ok()) return responder.send(error_response(execution.error()));
  const auto size = runs.log().size(id_of(request));
  if (!size.ok()) return responder.send(error_response(size.error()));
  http::Response head;
  head.compressible = false;
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  head.headers.set("Content-Disposition", fmt::format("attachment; filename=\"{}.log\"", execution->run.text));
  const auto body = responder.stream(std::move(head), *size);
  for (std::uint64_t sent = 0; sent < *size;) {
    const auto piece =
        runs.log().read(id_of(request), static_cast<std::int64_t>(sent), std::min(kPieceBytes, *size - sent));
    if (!piece.ok() || piece->bytes.empty()) return body->abort();
    if (!body->write(piece->bytes).ok()) return;
    sent += piece->bytes.size();
  }
}

}  // namespace

void add_run_log(http::Router& router, runs::Runs& runs) {
  router.add(http::Method::get, "/api/v1/runs/{run}/log/search", [&runs](Request& request, Responder responder) {
    answer(responder, search(runs, request), [](const Json& json) { return http::Response::json(json.render()); });
  });
  router.add(http::Method::get, "/api/v1/runs/{run}/log/file",
             [&runs](Request& request, Responder responder) { send_file(runs, request, responder); });
}

}  // namespace slipway::api

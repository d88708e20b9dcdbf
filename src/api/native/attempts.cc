#include "api/native/attempts.h"

#include <fmt/format.h>

#include "api/api.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;

constexpr size_t kPointsMax = 10'000;
constexpr std::uint64_t kLogChunkBytesMax = 8 << 20;

http::Response ok(const Json& json) { return http::Response::json(json.render()); }

AttemptId id_of(const Request& request) { return AttemptId(request.parameter("attempt")); }

/// The attempt, if the caller may speak for it: its run's own token, or an admin.
Result<runs::Attempt> attempt_of(runs::Runs& runs, const Request& request) {
  runs::Attempt attempt = TRY(runs.attempt(id_of(request)));
  const Caller caller = caller_of(request);
  const bool its_own = caller.run && *caller.run == attempt.run;
  if (!its_own && !(caller.admin && !caller.run)) {
    return Error{ErrorCode::permission_denied, "this attempt belongs to another run than the token does"};
  }
  return attempt;
}

Result<Json> plan(runs::Runs& runs, const Request& request) {
  TRY(attempt_of(runs, request));
  return to_json(TRY(runs.plan(id_of(request))));
}

Result<Json> heartbeat(runs::Runs& runs, const Request& request) {
  TRY(attempt_of(runs, request));
  return to_json(TRY(runs.heartbeat(id_of(request), TRY(parse_heartbeat(TRY(json_body(request)))))));
}

Result<Json> log(runs::Runs& runs, const Request& request) {
  TRY(attempt_of(runs, request));
  const auto offset = parse_u64(request.query_value("offset").value_or(""));
  if (!offset)
    return Error{ErrorCode::invalid_argument,
                 "'offset' is missing from the query; expected how many bytes of the log came before"};
  const std::uint64_t next = TRY(runs.append_log(id_of(request), *offset, request.body));
  return Json().set("next_offset", next);
}

Result<Json> record(runs::Runs& runs, const Request& request) {
  TRY(attempt_of(runs, request));
  TRY(runs.record(id_of(request), TRY(json_body(request))));
  return Json(Json::Object{});
}

Result<Json> output(runs::Runs& runs, const Request& request) {
  TRY(attempt_of(runs, request));
  TRY(runs.report_output(id_of(request), TRY(parse_output_report(TRY(json_body(request))))));
  return Json(Json::Object{});
}

Result<Json> end(runs::Runs& runs, const Request& request) {
  TRY(attempt_of(runs, request));
  TRY(runs.end(id_of(request), TRY(parse_attempt_result(TRY(json_body(request))))));
  return Json(Json::Object{});
}

Result<tracking::LogRequest> points_of(runs::Runs& runs, tracking::Tracking& tracking, const Request& request) {
  const runs::Attempt attempt = TRY(attempt_of(runs, request));
  const Json body = TRY(json_body(request));
  const Json::Array points = TRY(optional_array(body, "points"));
  if (points.size() > kPointsMax)
    return Error{ErrorCode::too_large,
                 fmt::format("{} points in one request; the limit is {}", points.size(), kPointsMax)};
  tracking::LogRequest log;
  log.run = attempt.run;
  log.project = TRY(tracking.runs().project_of(attempt.run));
  const auto lookup = tracking.log().names().lookup(log.project);
  for (const Json& point : points) {
    const Json& given = point["value"];
    const auto value = given.is_string() ? parse_double(given.string()) : given.number();
    const std::string& key = point["key"].string();
    if (key.empty() || key.size() > 250 || !value)
      return Error{ErrorCode::invalid_argument, "a point needs a key of 1 to 250 bytes and a value"};
    tracking::MetricLog::add_point(log, lookup, key, point["step"].integer().value_or(0),
                                   point["at_ms"].integer().value_or(0), *value);
  }
  return log;
}

void metrics(runs::Runs& runs, tracking::Tracking& tracking, const Request& request, const Responder& responder) {
  auto log = points_of(runs, tracking, request);
  if (!log.ok()) return responder.send(error_response(log.error()));
  tracking.log().log(*std::move(log), [responder](const Result<void>& kept) {
    responder.send(kept.ok() ? ok(Json(Json::Object{})) : error_response(kept.error()));
  });
}

}  // namespace

void add_attempts(http::Router& router, runs::Runs& runs, tracking::Tracking& tracking) {
  using Function = Result<Json> (*)(runs::Runs&, const Request&);
  const std::string one = "/api/v1/attempts/{attempt}";
  const auto add = [&](Method method, const std::string& pattern, Function function, std::uint64_t body_bytes_max) {
    router.add(
        method, pattern,
        [&runs, function](Request& request, Responder responder) { answer(responder, function(runs, request), ok); },
        {.where = http::Where::on_pool, .body_bytes_max = body_bytes_max});
  };
  add(Method::get, one, plan, 0);
  add(Method::post, one + "/heartbeat", heartbeat, 64 << 10);
  add(Method::post, one + "/log", log, kLogChunkBytesMax);
  add(Method::post, one + "/record", record, 16 << 20);
  add(Method::post, one + "/outputs", output, 64 << 10);
  add(Method::post, one + "/end", end, 256 << 10);
  router.add(Method::post, one + "/metrics", [&runs, &tracking](Request& request, Responder responder) {
    metrics(runs, tracking, request, responder);
  });
}

}  // namespace slipway::api

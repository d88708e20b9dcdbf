#include "api/native/metrics.h"

#include <fmt/format.h>

#include <cmath>

#include "api/api.h"
#include "api/native/runs.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using tracking::ThinnedSeries;
using tracking::Tracking;
using tracking::XAxis;

constexpr std::int64_t kPointsDefault = 2'000;
constexpr std::int64_t kPointsMax = 100'000;
constexpr size_t kSeriesMax = 2'000;

Result<std::int64_t> check_points(std::int64_t points) {
  if (points >= 1 && points <= kPointsMax) return points;
  return Error{ErrorCode::invalid_argument, fmt::format("'points_max' is {}; expected 1 to {}", points, kPointsMax)};
}

void write_values(JsonWriter& json, std::string_view key, const std::vector<double>& values) {
  json.key(key).begin_array();
  for (double value : values) json.value(value);
  json.end_array();
}

void write_series(JsonWriter& json, const ThinnedSeries& series, std::string_view run) {
  json.begin_object();
  if (!run.empty()) json.member("run_id", run);
  json.member("key", series.key).member("count", series.points).member("thinned", series.thinned);
  json.key("steps").begin_array();
  for (std::int64_t step : series.steps) json.value(step);
  json.end_array().key("times_ms").begin_array();
  for (std::int64_t at : series.at_ms) json.value(at);
  json.end_array();
  write_values(json, "values", series.values);
  if (series.thinned) {
    write_values(json, "min", series.low);
    write_values(json, "max", series.high);
  } else {
    json.key("min").null().key("max").null();
  }
  json.end_object();
}

Result<std::string> summaries(Tracking& tracking, const Request& request) {
  Json::Array items;
  for (const auto& metric : TRY(tracking.metrics().summaries(project_of(request), RunId(request.parameter("run"))))) {
    Json item = metric_json(metric);
    items.push_back(item.set("key", metric.key));
  }
  return Json().set("metrics", std::move(items)).render();
}

Result<XAxis> axis_of(std::string_view text) {
  if (text == "step") return XAxis::step;
  if (text == "time") return XAxis::time;
  return Error{ErrorCode::invalid_argument, "'x' is '" + clean_utf8(text, 50) + "'; expected step or time"};
}

Result<std::string> history(Tracking& tracking, const Request& request) {
  const XAxis x = TRY(axis_of(request.query_value("x").value_or("step")));
  std::int64_t points = kPointsDefault;
  if (const auto given = request.query_value("points_max")) points = parse_i64(*given).value_or(0);
  TRY(check_points(points));
  JsonWriter json;
  json.begin_object().key("series").begin_array();
  size_t count = 0;
  for (const auto& [key, value] : request.query) {
    if (key != "key") continue;
    if (++count > kSeriesMax)
      return Error{ErrorCode::too_large, fmt::format("at most {} series are read at once", kSeriesMax)};
    write_series(json,
                 TRY(tracking.metrics().thinned_history(project_of(request), RunId(request.parameter("run")), value, x,
                                                        static_cast<size_t>(points))),
                 "");
  }
  if (count == 0)
    return Error{ErrorCode::invalid_argument, "'key' is missing: name at least one metric, as in ?key=loss"};
  json.end_array().end_object();
  return json.take();
}

Result<std::string> histories(Tracking& tracking, const Request& request) {
  const Json body = TRY(json_body(request));
  const std::int64_t points = TRY(check_points(TRY(optional_integer(body, "points_max", kPointsDefault))));
  const XAxis x = TRY(axis_of(TRY(optional_string(body, "x", "step"))));
  for (const char* key : {"run_ids", "keys"}) {
    if (body[key].is_null())
      return Error{ErrorCode::invalid_argument,
                   fmt::format("'{}' is missing from the request; expected an array", key)};
  }
  const auto runs = TRY(optional_texts(body, "run_ids")), keys = TRY(optional_texts(body, "keys"));
  if (runs.size() * keys.size() > kSeriesMax)
    return Error{ErrorCode::too_large,
                 fmt::format("{} runs times {} keys were asked for; at most {} series are read at once", runs.size(),
                             keys.size(), kSeriesMax)};
  JsonWriter json;
  json.begin_object().key("series").begin_array();
  for (const std::string& run : runs) {
    for (const std::string& key : keys) {
      const auto series =
          TRY(tracking.metrics().thinned_history(project_of(request), RunId(run), key, x, static_cast<size_t>(points)));
      if (series.points > 0) write_series(json, series, run);
    }
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace

void add_metrics(http::Router& router, Tracking& tracking) {
  using Function = Result<std::string> (*)(Tracking&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function) {
    router.add(method, pattern, [&tracking, function](Request& request, Responder responder) {
      answer(responder, function(tracking, request),
             [](const std::string& json) { return http::Response::json(json); });
    });
  };
  add(Method::get, "/api/v1/runs/{run}/metrics", summaries);
  add(Method::get, "/api/v1/runs/{run}/metrics/history", history);
  add(Method::post, "/api/v1/metrics/histories", histories);
}

}  // namespace slipway::api

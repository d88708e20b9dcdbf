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
using tracking::HistoryView;
using tracking::ThinnedSeries;
using tracking::Tracking;
using tracking::XAxis;

constexpr std::int64_t kPointsDefault = 2'000;
constexpr std::int64_t kPointsMax = 100'000;
constexpr size_t kSeriesMax = 2'000;
constexpr size_t kPointsOfAllMax = 10'000'000;  // series times points_max: some 400 MB of answer

Result<std::int64_t> check_points(std::int64_t points) {
  if (points >= 1 && points <= kPointsMax) return points;
  return Error{ErrorCode::invalid_argument, fmt::format("'points_max' is {}; expected 1 to {}", points, kPointsMax)};
}

void write_values(JsonWriter& json, std::string_view key, const std::vector<double>& values) {
  json.key(key).begin_array();
  for (double value : values) json.value(value);
  json.end_array();
}

/// The points of a series, or of a tail of it that was abandoned.
void write_points(JsonWriter& json, const ThinnedSeries& series) {
  json.member("count", series.points).member("thinned", series.thinned);
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
}

void write_series(JsonWriter& json, const ThinnedSeries& series, std::string_view run, bool with_abandoned) {
  json.begin_object();
  if (!run.empty()) json.member("run_id", run);
  json.member("key", series.key);
  write_points(json, series);
  if (with_abandoned) {
    json.key("abandoned").begin_array();
    for (const ThinnedSeries& tail : series.abandoned) {
      json.begin_object().member("attempt", tail.attempt);
      write_points(json, tail);
      json.end_object();
    }
    json.end_array();
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

Result<std::optional<std::int64_t>> bound_of(const Request& request, const char* name) {
  const auto given = request.query_value(name);
  if (!given || given->empty()) return std::optional<std::int64_t>();
  if (const auto number = parse_i64(*given)) return number;
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' is '{}'; expected a whole number", name, clean_utf8(*given, 50))};
}

Result<void> check_sizes(size_t series, size_t points_max) {
  if (series > kSeriesMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("{} series were asked for; at most {} are read at once", series, kSeriesMax)};
  }
  if (series * points_max <= kPointsOfAllMax) return {};
  return Error{ErrorCode::too_large,
               fmt::format("{} series of up to {} points were asked for; at most {} points are answered at once: "
                           "ask for fewer series, or make 'points_max' smaller",
                           series, points_max, kPointsOfAllMax)};
}

/// As many keys as there are for each of the runs.
std::string series_json(const std::vector<ThinnedSeries>& series, const std::vector<RunId>& runs, bool names_runs,
                        bool with_abandoned) {
  const size_t keys = runs.empty() ? 0 : series.size() / runs.size();
  JsonWriter json;
  json.begin_object().key("series").begin_array();
  for (size_t i = 0; i < series.size(); ++i) {
    if (!names_runs)
      write_series(json, series[i], "", with_abandoned);
    else if (series[i].points > 0 || (with_abandoned && !series[i].abandoned.empty()))
      write_series(json, series[i], runs[i / keys].text, with_abandoned);
  }
  json.end_array().end_object();
  return json.take();
}

Result<std::string> history(Tracking& tracking, const Request& request) {
  HistoryView view{.x = TRY(axis_of(request.query_value("x").value_or("step")))};
  std::int64_t points = kPointsDefault;
  if (const auto given = request.query_value("points_max")) points = parse_i64(*given).value_or(0);
  view.points_max = static_cast<size_t>(TRY(check_points(points)));
  view.from = TRY(bound_of(request, "from"));
  view.to = TRY(bound_of(request, "to"));
  std::vector<std::string> keys;
  for (const auto& [key, value] : request.query) {
    if (key == "key") keys.push_back(value);
  }
  if (keys.empty())
    return Error{ErrorCode::invalid_argument, "'key' is missing: name at least one metric, as in ?key=loss"};
  TRY(check_sizes(keys.size(), view.points_max));
  const std::vector<RunId> runs{RunId(request.parameter("run"))};
  return series_json(TRY(tracking.metrics().histories(project_of(request), runs, keys, view)), runs, false,
                     TRY(query_flag(request, "abandoned")));
}

Result<std::string> histories(Tracking& tracking, const Request& request) {
  const Json body = TRY(json_body(request));
  HistoryView view{.x = TRY(axis_of(TRY(optional_string(body, "x", "step"))))};
  view.points_max = static_cast<size_t>(TRY(check_points(TRY(optional_integer(body, "points_max", kPointsDefault)))));
  if (!body["from"].is_null()) view.from = TRY(optional_integer(body, "from", 0));
  if (!body["to"].is_null()) view.to = TRY(optional_integer(body, "to", 0));
  for (const char* key : {"run_ids", "keys"}) {
    if (body[key].is_null())
      return Error{ErrorCode::invalid_argument,
                   fmt::format("'{}' is missing from the request; expected an array", key)};
  }
  std::vector<RunId> runs;
  for (const std::string& run : TRY(optional_texts(body, "run_ids"))) runs.emplace_back(run);
  const auto keys = TRY(optional_texts(body, "keys"));
  TRY(check_sizes(runs.size() * keys.size(), view.points_max));
  return series_json(TRY(tracking.metrics().histories(project_of(request), runs, keys, view)), runs, true,
                     TRY(optional_boolean(body, "abandoned", false)));
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

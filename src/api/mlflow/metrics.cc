#include <fmt/format.h>

#include <algorithm>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/render.h"
#include "base/text.h"
#include "tracking/metrics.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;
using tracking::Point;

constexpr std::int64_t kHistoryPageMax = 25'000;
constexpr std::int64_t kBulkRunsMax = 100;
constexpr std::int64_t kIntervalPointsMax = 2'500;

/// MLflow's order: by time, step, value.
void sort_as_mlflow(std::vector<Point>& points) {
  const auto comes_before = [](const Point& a, const Point& b) {
    if (a.at_ms != b.at_ms) return a.at_ms < b.at_ms;
    if (a.step != b.step) return a.step < b.step;
    return tracking::value_less(a.value, b.value);
  };
  // Time goes on from step to step, so that most histories are in order already.
  if (!std::is_sorted(points.begin(), points.end(), comes_before))
    std::sort(points.begin(), points.end(), comes_before);
}

Result<std::string> history(const Rooms& rooms, const Call& call) {
  const std::string& key = call.text("metric_key");
  const auto most = call.integer("max_results");
  if (most && *most <= 0) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be a positive integer.", *most)};
  }
  std::int64_t from = 0;
  if (const std::string& token = call.text("page_token"); !token.empty()) {
    const auto text = base64_decode(token);
    const auto offset = text ? parse_i64(*text) : std::nullopt;
    if (!offset || *offset < 0)
      return Error{ErrorCode::invalid_argument,
                   "Invalid page token: expected one that an earlier page of this history gave"};
    from = *offset;
  }
  auto points = TRY(rooms.tracking.metrics().history(call.project(), call.run(), key));
  sort_as_mlflow(points);
  const auto count = static_cast<std::int64_t>(points.size());
  from = std::min(from, count);
  const std::int64_t to = most ? std::min(count, from + *most) : count;
  JsonWriter json;
  json.begin_object().key("metrics").begin_array();
  for (std::int64_t i = from; i < to; ++i) write_point(json, key, points[static_cast<size_t>(i)]);
  json.end_array();
  if (to < count) json.member("next_page_token", base64_encode(std::to_string(to)));
  json.end_object();
  return json.take();
}

Result<void> check_runs(const std::vector<std::string>& runs, const char* field) {
  if (runs.empty()) return missing_parameter(field);
  if (runs.size() <= static_cast<size_t>(kBulkRunsMax)) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("GetMetricHistoryBulk request cannot specify more than {} run_ids. Received {} run_ids.",
                           kBulkRunsMax, runs.size())};
}

Result<std::string> bulk(const Rooms& rooms, const Call& call) {
  auto runs = call.texts("run_id");
  TRY(check_runs(runs, "run_id"));
  std::sort(runs.begin(), runs.end());
  const std::int64_t most = std::min(call.integer("max_results").value_or(kHistoryPageMax), kHistoryPageMax);
  std::int64_t written = 0;
  JsonWriter json;
  json.begin_object().key("metrics").begin_array();
  for (const std::string& run : runs) {
    auto points = rooms.tracking.metrics().history(call.project(), RunId(run), call.text("metric_key"));
    if (!points.ok()) continue;  // as upstream: unknown runs have no points
    sort_as_mlflow(*points);
    for (const Point& point : *points) {
      if (written++ < most) write_point(json, call.text("metric_key"), point, run);
    }
  }
  json.end_array().end_object();
  return json.take();
}

/// All steps of several series, each once, sorted.
std::vector<std::int64_t> steps_of(const std::vector<std::vector<Point>>& series) {
  std::vector<std::int64_t> steps;
  for (const auto& points : series) {
    const auto before = static_cast<std::ptrdiff_t>(steps.size());
    for (const Point& point : points) steps.push_back(point.step);  // sorted, as histories are
    std::inplace_merge(steps.begin(), steps.begin() + before, steps.end());
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  }
  return steps;
}

/// At most about `most` of the sorted steps, evenly spread, the last one included.
std::vector<std::int64_t> sample_steps(const std::vector<std::int64_t>& steps, std::int64_t most) {
  const auto count = static_cast<std::int64_t>(steps.size());
  if (count <= most) return steps;
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < most; ++i) out.push_back(steps[static_cast<size_t>(i * count / most)]);
  if (out.back() != steps.back()) out.push_back(steps.back());
  return out;
}

Result<std::string> bulk_interval(const Rooms& rooms, const Call& call) {
  const auto runs = call.texts("run_ids");
  TRY(check_runs(runs, "run_ids"));
  const auto start = call.integer("start_step"), end = call.integer("end_step");
  if (start.has_value() != end.has_value())
    return Error{ErrorCode::invalid_argument,
                 "If either start step or end step are specified, both must be specified."};
  if (start && *start > *end) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("end_step must be greater than start_step. Found start_step={} and end_step={}.", *start, *end)};
  }
  const std::int64_t most = call.integer("max_results").value_or(kIntervalPointsMax);
  if (most < 1 || most > kIntervalPointsMax)
    return invalid_value("max_results", Json(most),
                         fmt::format("max_results must be between 1 and {}", kIntervalPointsMax));
  std::vector<std::vector<Point>> series;
  for (const std::string& run : runs) {
    auto points = rooms.tracking.metrics().history(call.project(), RunId(run), call.text("metric_key"));
    series.push_back(points.ok() ? std::move(*points) : std::vector<Point>{});
    if (start) std::erase_if(series.back(), [&](const Point& p) { return p.step < *start || p.step > *end; });
  }
  const auto sampled = sample_steps(steps_of(series), most);
  JsonWriter json;
  json.begin_object().key("metrics").begin_array();
  for (size_t i = 0; i < series.size(); ++i) {
    for (const Point& point : series[i]) {
      const bool is_edge = point.step == series[i].front().step || point.step == series[i].back().step;
      if (is_edge || std::binary_search(sampled.begin(), sampled.end(), point.step))
        write_point(json, call.text("metric_key"), point, runs[i]);
    }
  }
  json.end_array().end_object();
  return json.take();
}

const Field kKey{"metric_key", FieldType::text, true};

}  // namespace

std::span<const Endpoint> metric_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::get,
       "mlflow/metrics/get-history",
       {{"run_id", FieldType::text, true}, kKey, {"page_token"}, {"max_results", FieldType::integer}},
       history},
      {Method::get,
       "mlflow/metrics/get-history-bulk",
       {{"run_id", FieldType::texts}, kKey, {"max_results", FieldType::integer}},
       bulk},
      {Method::get,
       "mlflow/metrics/get-history-bulk-interval",
       {{"run_ids", FieldType::texts},
        kKey,
        {"start_step", FieldType::integer},
        {"end_step", FieldType::integer},
        {"max_results", FieldType::integer}},
       bulk_interval},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow

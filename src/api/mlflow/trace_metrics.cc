#include "tracking/trace_metrics.h"

#include <fmt/format.h>

#include <array>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/trace_json.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;
using tracking::Aggregation;
using tracking::TraceMetricsOf;

constexpr std::int64_t kRowsDefault = 1000, kRowsMax = 10'000;
constexpr std::int64_t kBucketSecondsMax = 10LL * 366 * 24 * 3600;
constexpr std::array<std::pair<std::string_view, Aggregation::Kind>, 6> kKinds{
    {{"COUNT", Aggregation::Kind::count},
     {"SUM", Aggregation::Kind::sum},
     {"AVG", Aggregation::Kind::average},
     {"PERCENTILE", Aggregation::Kind::percentile},
     {"MIN", Aggregation::Kind::least},
     {"MAX", Aggregation::Kind::most}}};

Result<Aggregation> read_aggregation(const Json& json) {
  for (const auto& [name, kind] : kKinds) {
    if (json["aggregation_type"].string() != name) continue;
    const auto percent = json["percentile_value"].number();
    if (kind == Aggregation::Kind::percentile && !percent)
      return Error{ErrorCode::invalid_argument, "Percentile value is required for PERCENTILE aggregation"};
    return Aggregation{kind, percent.value_or(0)};
  }
  return invalid_value("aggregation_type", json["aggregation_type"],
                       "expected COUNT, SUM, AVG, PERCENTILE, MIN or MAX");
}

/// The name of its value in an answer: "AVG", "P99.0".
std::string name_of(const Aggregation& aggregation) {
  if (aggregation.kind == Aggregation::Kind::percentile) {
    const std::string percent = render_double(aggregation.percentile);
    return fmt::format("P{}{}", percent, percent.find('.') == std::string::npos ? ".0" : "");
  }
  for (const auto& [name, kind] : kKinds) {
    if (kind == aggregation.kind) return std::string(name);
  }
  return "COUNT";
}

Result<TraceMetricsOf> view_of(const Call& call) {
  const std::string& name = call.text("view_type");
  const std::int64_t number = call.integer("view_type").value_or(0);
  if (name == "TRACES" || number == 1) return TraceMetricsOf::traces;
  if (name == "SPANS" || number == 2) return TraceMetricsOf::spans;
  if (name == "ASSESSMENTS" || number == 3) return TraceMetricsOf::assessments;
  return invalid_value("view_type", call.object("view_type"), "expected TRACES, SPANS or ASSESSMENTS");
}

Result<tracking::TraceMetricsQuery> read_query(const Call& call) {
  tracking::TraceMetricsQuery query{.project = call.project()};
  for (const std::string& id : call.texts("experiment_ids")) query.experiments.emplace_back(id);
  query.of = TRY(view_of(call));
  query.metric = call.text("metric_name");
  for (const Json& one : call.list("aggregations")) query.aggregations.push_back(TRY(read_aggregation(one)));
  query.dimensions = call.texts("dimensions");
  for (const std::string& text : call.texts("filters")) {
    for (FilterComparison& comparison : TRY(parse_filter(text)).comparisons)
      query.filter.comparisons.push_back(std::move(comparison));
  }
  if (const auto seconds = call.integer("time_interval_seconds")) {
    if (*seconds < 1 || *seconds > kBucketSecondsMax)
      return invalid_value("time_interval_seconds", Json(*seconds), fmt::format("expected 1 to {}", kBucketSecondsMax));
    query.bucket = std::chrono::seconds(*seconds);
  }
  if (const auto from = call.integer("start_time_ms")) query.from = time_of_millis(*from);
  if (const auto until = call.integer("end_time_ms")) query.until = time_of_millis(*until, true);
  const std::int64_t most = call.integer("max_results").value_or(kRowsDefault);
  if (most < 1 || most > kRowsMax)
    return invalid_value("max_results", Json(most), fmt::format("expected 1 to {}", kRowsMax));
  query.rows_max = static_cast<size_t>(most);
  return query;
}

void write_row(JsonWriter& json, const tracking::TraceMetricsQuery& query, const tracking::TraceMetricsRow& row) {
  json.begin_object().member("metric_name", query.metric).key("dimensions").begin_object();
  if (row.bucket) json.member("time_bucket", render(*row.bucket).substr(0, 19) + "+00:00");
  for (size_t i = 0; i < query.dimensions.size(); ++i) json.member(query.dimensions[i], row.dimensions[i]);
  json.end_object().key("values").begin_object();
  for (size_t i = 0; i < query.aggregations.size(); ++i) {
    if (row.aggregations[i]) json.member(name_of(query.aggregations[i]), *row.aggregations[i]);
  }
  json.end_object().end_object();
}

Result<std::string> metrics(const Rooms& rooms, const Call& call) {
  const auto query = TRY(read_query(call));
  JsonWriter json;
  json.begin_object().key("data_points").begin_array();
  for (const auto& row : TRY(rooms.tracking.traces().metrics(query))) write_row(json, query, row);
  json.end_array().end_object();
  return json.take();
}

}  // namespace

std::span<const Endpoint> trace_metric_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/traces/metrics",
       {{"experiment_ids", FieldType::texts, true},
        {"view_type", FieldType::choice, true},
        {"metric_name", FieldType::text, true},
        {"aggregations", FieldType::objects, true},
        {"dimensions", FieldType::texts},
        {"filters", FieldType::texts},
        {"time_interval_seconds", FieldType::integer},
        {"start_time_ms", FieldType::integer},
        {"end_time_ms", FieldType::integer},
        {"max_results", FieldType::integer},
        {"page_token"}},
       metrics},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow

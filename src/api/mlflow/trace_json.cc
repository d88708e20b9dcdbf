#include "api/mlflow/trace_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "api/mlflow/endpoint.h"
#include "api/mlflow/validate.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr double kDurationSecondsMax = 1e10;  // some centuries
constexpr const char* kSerialization = "JSON_FORMAT";

Error wrong(std::string_view what, const Json& value, std::string_view expected) {
  return {ErrorCode::invalid_argument, fmt::format("Invalid value {} for parameter '{}' supplied: expected {}",
                                                   clean_utf8(value.render(), 200), what, expected)};
}

Result<Time> read_time(const Json& value, std::string_view what) {
  if (value.is_null()) return Time{};
  auto time = parse_time(value.string());
  if (!value.is_string() || !time.ok()) return wrong(what, value, "a time such as 2026-01-31T12:00:00.5Z");
  return time;
}

/// "1.5s"
Result<std::optional<Duration>> read_duration(const Json& value) {
  if (value.is_null()) return std::optional<Duration>();
  std::string_view text = value.string();
  const bool has_unit = text.ends_with('s');
  if (has_unit) text.remove_suffix(1);
  const auto seconds = parse_double(text);
  if (!has_unit || !seconds || !(std::abs(*seconds) <= kDurationSecondsMax))
    return wrong("execution_duration", value, "seconds such as 1.5s");
  return std::optional(Duration(std::llround(*seconds * static_cast<double>(kMicrosPerSecond))));
}

std::string render_duration(Duration duration) {
  const std::int64_t micros = duration.count();
  const std::int64_t whole = micros < 0 ? -micros : micros;
  return fmt::format("{}{}.{:06}s", micros < 0 ? "-" : "", whole / kMicrosPerSecond, whole % kMicrosPerSecond);
}

Result<TraceState> read_state(const Json& value) {
  if (value.is_null()) return TraceState::unspecified;
  if (const auto state = parse_trace_state(value.string())) return *state;
  static constexpr std::array kByNumber{TraceState::unspecified, TraceState::ok, TraceState::error,
                                        TraceState::in_progress};
  const auto number = value.integer();
  if (number && *number >= 0 && *number < static_cast<std::int64_t>(kByNumber.size()))
    return kByNumber[static_cast<size_t>(*number)];
  return wrong("state", value, "OK, ERROR or IN_PROGRESS");
}

Result<tracking::KeyValues> read_map(const Json& value, std::string_view what) {
  tracking::KeyValues out;
  if (!value.is_null() && !value.is_object()) return wrong(what, value, "an object of texts");
  for (const auto& [key, item] : value.object()) {
    if (!item.is_string()) return wrong(what, item, "a text");
    out.emplace_back(key, item.string());
  }
  return out;
}

std::optional<std::string> maybe_text(const Json& value) {
  return value.is_string() ? std::optional(value.string()) : std::nullopt;
}
/// Absent and empty are the same, as in protobuf.
std::optional<std::string> some_text(const Json& value) {
  return value.string().empty() ? std::nullopt : std::optional(value.string());
}

void write_map(JsonWriter& json, std::string_view name, const tracking::KeyValues& pairs) {
  json.key(name).begin_object();
  for (const auto& [key, value] : pairs) json.member(key, value);
  json.end_object();
}

void write_list(JsonWriter& json, std::string_view name, const tracking::KeyValues& pairs) {
  json.key(name).begin_array();
  for (const auto& [key, value] : pairs) json.begin_object().member("key", key).member("value", value).end_object();
  json.end_array();
}

std::string base64_of_hex(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes) return "";
  return base64_encode({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

void write_attributes(JsonWriter& json, const Attributes& attributes, std::string_view name = "attributes");

/// OpenTelemetry's AnyValue.
void write_any(JsonWriter& json, const Json& value) {
  json.begin_object();
  if (value.is_bool())
    json.member("bool_value", value);
  else if (value.is_integer())
    json.member("int_value", value);
  else if (value.is_number())
    json.member("double_value", value);
  else if (value.is_string())
    json.member("string_value", value);
  if (value.is_array()) {
    json.key("array_value").begin_object().key("values").begin_array();
    for (const Json& item : value.array()) write_any(json, item);
    json.end_array().end_object();
  } else if (value.is_object()) {
    json.key("kvlist_value").begin_object();
    write_attributes(json, value.object(), "values");
    json.end_object();
  }
  json.end_object();
}

void write_attributes(JsonWriter& json, const Attributes& attributes, std::string_view name) {
  json.key(name).begin_array();
  for (const auto& [key, value] : attributes) {
    json.begin_object().member("key", key).key("value");
    write_any(json, value);
    json.end_object();
  }
  json.end_array();
}

void write_event(JsonWriter& json, const SpanEvent& event) {
  json.begin_object().member("time_unix_nano", event.at_ns).member("name", event.name);
  write_attributes(json, event.attributes);
  json.end_object();
}

void write_link(JsonWriter& json, const SpanLink& link) {
  json.begin_object().member("trace_id", base64_of_hex(link.trace)).member("span_id", base64_of_hex(link.span));
  write_attributes(json, link.attributes);
  json.end_object();
}

Result<void> read_value(const Json& json, Assessment& out) {
  const int given = !json["feedback"].is_null() + !json["expectation"].is_null() + !json["issue"].is_null();
  if (given != 1) {
    return Error{ErrorCode::invalid_argument,
                 "Exactly one of `expectation`, `feedback`, or `issue` should be specified."};
  }
  if (!json["feedback"].is_null()) {
    out.kind = AssessmentKind::feedback;
    out.value = json["feedback"]["value"];
    out.error = json["feedback"]["error"];
  } else if (!json["expectation"].is_null()) {
    out.kind = AssessmentKind::expectation;
    out.value = TRY(read_expectation(json["expectation"]));
  } else {
    out.kind = AssessmentKind::issue;
    out.value = json["issue"]["issue_name"];
  }
  return {};
}

void write_value(JsonWriter& json, const Assessment& assessment) {
  switch (assessment.kind) {
    case AssessmentKind::feedback:
      json.key("feedback").begin_object().member("value", assessment.value);
      if (assessment.error.is_object()) json.member("error", assessment.error);
      json.end_object();
      return;
    case AssessmentKind::issue:
      json.key("issue").begin_object().member("issue_name", assessment.value.string()).end_object();
      return;
    case AssessmentKind::expectation: break;
  }
  json.key("expectation").begin_object();
  if (assessment.value.is_array() || assessment.value.is_object()) {
    json.key("serialized_value").begin_object().member("serialization_format", kSerialization);
    json.member("value", assessment.value.render()).end_object();
  } else {
    json.member("value", assessment.value);
  }
  json.end_object();
}

}  // namespace

Result<Json> read_expectation(const Json& json) {
  if (const Json& serialized = json["serialized_value"]; serialized.is_object()) {
    if (serialized["serialization_format"].string() != kSerialization)
      return wrong("serialization_format", serialized["serialization_format"], kSerialization);
    return Json::parse(serialized["value"].string());
  }
  if (json["value"].is_null()) return Error{ErrorCode::invalid_argument, "The `value` field must be specified."};
  return json["value"];
}

Result<Assessment> read_assessment(const Json& json) {
  Assessment out;
  out.id = AssessmentId(json["assessment_id"].string());
  out.trace = TraceId(json["trace_id"].string());
  out.name = json["assessment_name"].string();
  if (out.name.empty()) return missing_parameter("assessment.assessment_name");
  const Json& source = json["source"];
  out.source_type = source["source_type"].is_string() ? source["source_type"].string() : "SOURCE_TYPE_UNSPECIFIED";
  out.source_id = source["source_id"].string();
  TRY(read_value(json, out));
  out.rationale = some_text(json["rationale"]);
  out.span = some_text(json["span_id"]);
  out.overrides = some_text(json["overrides"]);
  for (const auto& [key, value] : TRY(read_map(json["metadata"], "metadata"))) out.metadata.emplace_back(key, value);
  out.valid = json["valid"].boolean().value_or(true);
  out.created_at = TRY(read_time(json["create_time"], "create_time"));
  out.updated_at = TRY(read_time(json["last_update_time"], "last_update_time"));
  return out;
}

void write_assessment(JsonWriter& json, const Assessment& assessment) {
  json.begin_object().member("assessment_id", assessment.id.text).member("assessment_name", assessment.name);
  json.member("trace_id", assessment.trace.text);
  if (assessment.span) json.member("span_id", *assessment.span);
  json.key("source").begin_object().member("source_type", assessment.source_type);
  json.member("source_id", assessment.source_id).end_object();
  json.member("create_time", render(assessment.created_at)).member("last_update_time", render(assessment.updated_at));
  write_value(json, assessment);
  if (assessment.rationale) json.member("rationale", *assessment.rationale);
  if (!assessment.metadata.empty()) json.member("metadata", Json(assessment.metadata));
  if (assessment.overrides) json.member("overrides", *assessment.overrides);
  json.member("valid", assessment.valid).end_object();
}

Result<tracking::Trace> read_trace(const Json& info) {
  tracking::Trace out;
  out.id = TraceId(info["trace_id"].string());
  if (out.id.empty()) return missing_parameter("trace.trace_info.trace_id");
  out.experiment = ExperimentId(info["trace_location"]["mlflow_experiment"]["experiment_id"].string());
  if (out.experiment.empty())
    return missing_parameter("trace.trace_info.trace_location.mlflow_experiment.experiment_id");
  out.client_request_id = maybe_text(info["client_request_id"]);
  out.request_preview = maybe_text(info["request_preview"]);
  out.response_preview = maybe_text(info["response_preview"]);
  out.started_at = TRY(read_time(info["request_time"], "request_time"));
  out.duration = TRY(read_duration(info["execution_duration"]));
  out.state = TRY(read_state(info["state"]));
  out.metadata = TRY(read_map(info["trace_metadata"], "trace_metadata"));
  out.tags = TRY(read_map(info["tags"], "tags"));
  for (const Json& assessment : info["assessments"].array())
    out.assessments.push_back(TRY(read_assessment(assessment)));
  return out;
}

void write_trace(JsonWriter& json, const tracking::Trace& trace) {
  json.begin_object().member("trace_id", trace.id.text);
  if (trace.client_request_id) json.member("client_request_id", *trace.client_request_id);
  json.key("trace_location").begin_object().member("type", "MLFLOW_EXPERIMENT");
  json.key("mlflow_experiment").begin_object().member("experiment_id", trace.experiment.text).end_object().end_object();
  if (trace.request_preview) json.member("request_preview", *trace.request_preview);
  if (trace.response_preview) json.member("response_preview", *trace.response_preview);
  json.member("request_time", render(trace.started_at));
  if (trace.duration) json.member("execution_duration", render_duration(*trace.duration));
  json.member("state", name(trace.state));
  write_map(json, "trace_metadata", trace.metadata);
  write_map(json, "tags", trace.tags);
  json.key("assessments").begin_array();
  for (const Assessment& assessment : trace.assessments) write_assessment(json, assessment);
  json.end_array().end_object();
}

void write_old_trace(JsonWriter& json, const tracking::Trace& trace) {
  json.begin_object().member("request_id", trace.id.text).member("experiment_id", trace.experiment.text);
  json.member("timestamp_ms", trace.started_at.millis());
  if (trace.duration) json.member("execution_time_ms", static_cast<std::int64_t>(trace.duration->count() / 1000));
  json.member("status", trace.state == TraceState::unspecified ? "TRACE_STATUS_UNSPECIFIED" : name(trace.state));
  write_list(json, "request_metadata", trace.metadata);
  write_list(json, "tags", trace.tags);
  json.end_object();
}

void write_span(JsonWriter& json, const Span& span) {
  json.begin_object().member("trace_id", base64_of_hex(span.trace)).member("span_id", base64_of_hex(span.id));
  if (!span.is_root()) json.member("parent_span_id", base64_of_hex(span.parent));
  json.member("name", span.name).member("start_time_unix_nano", span.started_ns);
  if (span.ended_ns != 0) json.member("end_time_unix_nano", span.ended_ns);
  write_attributes(json, span.attributes);
  json.key("events").begin_array();
  for (const SpanEvent& event : span.events) write_event(json, event);
  json.end_array().key("links").begin_array();
  for (const SpanLink& link : span.links) write_link(json, link);
  json.end_array().key("status").begin_object();
  json.member("code", fmt::format("STATUS_CODE_{}", name(span.status)));
  if (!span.status_message.empty()) json.member("message", span.status_message);
  json.end_object().end_object();
}

void write_span_data(JsonWriter& json, const Span& span) {
  json.begin_object().member("trace_id", base64_of_hex(span.trace)).member("span_id", base64_of_hex(span.id));
  json.member("parent_span_id", span.is_root() ? Json() : Json(base64_of_hex(span.parent)));
  json.member("name", span.name).member("start_time_unix_nano", span.started_ns);
  json.member("end_time_unix_nano", span.ended_ns == 0 ? Json() : Json(span.ended_ns));
  json.key("events").begin_array();
  for (const SpanEvent& event : span.events) {
    json.begin_object().member("name", event.name).member("time_unix_nano", event.at_ns);
    json.member("attributes", Json(event.attributes)).end_object();
  }
  json.end_array().key("status").begin_object();
  json.member("code", fmt::format("STATUS_CODE_{}", name(span.status))).member("message", span.status_message);
  json.end_object().key("attributes").begin_object();
  for (const auto& [key, value] : span.attributes) json.member(key, value.render());
  json.end_object().key("links").begin_array();
  for (const SpanLink& link : span.links) {
    json.begin_object().member("trace_id", std::string(kTraceIdPrefix) + link.trace).member("span_id", link.span);
    json.member("attributes", Json(link.attributes)).end_object();
  }
  json.end_array().end_object();
}

Time time_of_millis(std::int64_t ms, bool end) {
  constexpr std::int64_t kMillisMax = INT64_MAX / 4000;
  const std::int64_t kept = std::clamp(ms, -kMillisMax, kMillisMax);
  return Time{kept * 1000 + (end ? 999 : 0)};
}

Result<void> check_trace_tag(std::string_view key, std::string_view done) {
  constexpr std::array<std::string_view, 3> kOwn{tracking::kSpansLocationTag, "mlflow.trace.archiveLocation",
                                                 "mlflow.trace.archivalFailure"};
  for (const std::string_view own : kOwn) {
    if (key == own) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("Tag '{}' is immutable and cannot be {} on a trace.", key, done)};
    }
  }
  return check_key(key, "key");
}

}  // namespace slipway::api::mlflow

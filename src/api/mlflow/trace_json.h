// Traces, spans and assessments in MLflow's JSON (protobuf's JSON form of its messages), both ways. Private to this
// folder.
#pragma once

#include "base/json.h"
#include "domain/trace.h"
#include "tracking/traces.h"

namespace slipway::api::mlflow {

/// TraceInfo as of version 3.
Result<tracking::Trace> read_trace(const Json& info);
void write_trace(JsonWriter& json, const tracking::Trace& trace);
/// As of version 2, which older clients know.
void write_old_trace(JsonWriter& json, const tracking::Trace& trace);

/// OpenTelemetry's Span message: ids in base64, times as numbers.
void write_span(JsonWriter& json, const Span& span);
/// As MLflow's client keeps a span in a file: attributes an object, whose values are the texts of JSON.
void write_span_data(JsonWriter& json, const Span& span);

Result<Assessment> read_assessment(const Json& json);
void write_assessment(JsonWriter& json, const Assessment& assessment);
/// {"value", "error"} of feedback; {"value"} or {"serialized_value"} of an expectation.
Result<Json> read_expectation(const Json& json);

/// A client's milliseconds, kept within what a Time can be; the last microsecond of them when `end` is set.
Time time_of_millis(std::int64_t ms, bool end = false);

/// A tag's key and value; some tags are the server's own and cannot be `done` ("set", "deleted") from outside.
Result<void> check_trace_tag(std::string_view key, std::string_view done);

}  // namespace slipway::api::mlflow

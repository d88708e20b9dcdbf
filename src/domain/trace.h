// A trace: one request through a program, as a tree of spans, with what people and judges said of it. The nouns and
// their states; how spans travel and are stored is otlp.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"

namespace slipway {

using TraceId = Id<struct TraceTag>;  // "tr-" and the 32 hex digits of OpenTelemetry, as MLflow clients expect
using AssessmentId = Id<struct AssessmentTag>;  // "a-" and 32 hex digits

inline constexpr std::string_view kTraceIdPrefix = "tr-";

/// Where a trace stands. Spans that arrive move it from `unspecified` or `in_progress` to the end that its root span
/// came to; what the client itself says of the whole trace always counts.
enum class TraceState { unspecified, in_progress, ok, error };
/// As MLflow writes it: STATE_UNSPECIFIED, IN_PROGRESS, OK, ERROR; and back.
std::string_view name(TraceState state);
std::optional<TraceState> parse_trace_state(std::string_view text);

enum class SpanStatus { unset, ok, error };
/// UNSET, OK, ERROR.
std::string_view name(SpanStatus status);
std::optional<SpanStatus> parse_span_status(std::string_view text);

inline bool is_over(TraceState state) { return state == TraceState::ok || state == TraceState::error; }
/// The state of a trace once its root span with this status is known.
TraceState after_root_span(TraceState now, SpanStatus root);

/// Keys and values in their order. Bytes, which OpenTelemetry allows, are their base64 text.
using Attributes = Json::Object;

struct SpanEvent {
  std::string name;
  std::int64_t at_ns = 0;
  Attributes attributes;
  bool operator==(const SpanEvent&) const = default;
};

struct SpanLink {
  std::string trace, span;  // hex digits
  Attributes attributes;
  bool operator==(const SpanLink&) const = default;
};

/// One unit of work in a trace. Times are nanoseconds since 1970, as OpenTelemetry counts them.
struct Span {
  std::string trace;   // 32 hex digits, without "tr-"
  std::string id;      // 16 hex digits, unique within the trace
  std::string parent;  // empty for the root
  std::string name;
  int kind = 0;                 // OpenTelemetry's number: 1 internal, 2 server, 3 client, 4 producer, 5 consumer
  std::int64_t started_ns = 0;  // never negative
  std::int64_t ended_ns = 0;    // 0 while it goes on
  SpanStatus status = SpanStatus::unset;
  std::string status_message;
  Attributes attributes;
  std::vector<SpanEvent> events;
  std::vector<SpanLink> links;

  bool is_root() const { return parent.empty(); }
  TraceId trace_id() const { return TraceId(std::string(kTraceIdPrefix) + trace); }
  /// Null when there is none of that key.
  const Json& attribute(std::string_view key) const;
  bool operator==(const Span&) const = default;
};

/// The attributes that MLflow gives a meaning of its own.
inline constexpr std::string_view kSpanTypeKey = "mlflow.spanType";
inline constexpr std::string_view kSpanInputsKey = "mlflow.spanInputs";
inline constexpr std::string_view kSpanOutputsKey = "mlflow.spanOutputs";
inline constexpr std::string_view kSpanUsageKey = "mlflow.chat.tokenUsage";
inline constexpr std::string_view kSpanCostKey = "mlflow.llm.cost";
inline constexpr std::string_view kSpanModelKey = "mlflow.llm.model";
inline constexpr std::string_view kSpanProviderKey = "mlflow.llm.provider";

/// What kind of work a span did (LLM, CHAIN, TOOL, …), or "".
std::string span_type(const Span& span);

/// Root spans first, then by start: how a trace is read.
void sort_spans(std::vector<Span>& spans);

/// Sums of a trace, from its spans. A span whose children report too is their sum already and counts alone.
struct TraceSums {
  std::vector<std::pair<std::string, std::int64_t>> tokens;  // input_tokens, output_tokens, total_tokens, …
  std::vector<std::pair<std::string, double>> cost;          // input_cost, output_cost, total_cost
};
TraceSums sum_up(const std::vector<Span>& spans);

enum class AssessmentKind { feedback, expectation, issue };
std::string_view name(AssessmentKind kind);
std::optional<AssessmentKind> parse_assessment_kind(std::string_view text);

/// What somebody or something said of a trace: feedback on what it did, or what was expected of it.
struct Assessment {
  AssessmentId id;
  TraceId trace;
  AssessmentKind kind = AssessmentKind::feedback;
  std::string name;
  std::string source_type, source_id;  // HUMAN, LLM_JUDGE, CODE; and who or which
  Json value;                          // of an issue: its name
  Json error;                          // null, or {error_code, error_message, stack_trace}
  std::optional<std::string> rationale, span, overrides;
  Attributes metadata;
  bool valid = true;  // false once another one overrides it
  Time created_at, updated_at;
};

/// The value as a number for averages: a number is itself, true and "yes" are 1, false and "no" are 0.
std::optional<double> number_of(const Json& assessed);

}  // namespace slipway

// OpenTelemetry's wire form of spans (OTLP 1.x): what exporters post to /v1/traces, as protobuf or as JSON, and how
// spans are stored. Unknown fields are skipped, as protobuf asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/trace.h"

namespace slipway {

/// Spans of one origin, with the attributes of the resource (service, host, process) they come from.
struct SpanBatch {
  Attributes resource;
  std::vector<Span> spans;
  bool operator==(const SpanBatch&) const = default;
};

/// How deep lists and maps in attributes may nest; as deep as protobuf's own readers go (100 messages).
inline constexpr int kAttributeDepthMax = 32;
/// Spans, events, links and attribute values in one request, so that a small body cannot become a large memory.
inline constexpr size_t kOtlpValuesMax = 1'000'000;

/// An ExportTraceServiceRequest. invalid_argument names the span and what is wrong; too_large past the limits. Texts
/// that are no UTF-8 are repaired.
Result<std::vector<SpanBatch>> parse_otlp(std::string_view protobuf);
/// The same in OTLP's JSON: camelCase or snake_case names, ids as hex digits, 64-bit numbers as texts or numbers.
Result<std::vector<SpanBatch>> parse_otlp_json(const Json& json);

/// Spans as the repeated field of a ScopeSpans message, which is how they are stored; and back. Renderings can be put
/// one after the other.
std::string render_spans(const std::vector<Span>& spans);
Result<std::vector<Span>> parse_spans(std::string_view stored);

}  // namespace slipway

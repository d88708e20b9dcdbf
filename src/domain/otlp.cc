#include "domain/otlp.h"

#include <fmt/format.h>

#include "base/text.h"
#include "domain/protobuf.h"

namespace slipway {
namespace {

constexpr size_t kTraceIdBytes = 16, kSpanIdBytes = 8;

/// The numbers of the fields, from OpenTelemetry's trace.proto and common.proto.
namespace field {
constexpr std::uint32_t kResourceSpans = 1;
constexpr std::uint32_t kResource = 1, kScopeSpans = 2;
constexpr std::uint32_t kResourceAttributes = 1;
constexpr std::uint32_t kSpans = 2;
constexpr std::uint32_t kTraceId = 1, kSpanId = 2, kParentId = 4, kName = 5, kKind = 6, kStart = 7, kEnd = 8,
                        kAttributes = 9, kEvents = 11, kLinks = 13, kStatus = 15;
constexpr std::uint32_t kEventTime = 1, kEventName = 2, kEventAttributes = 3;
constexpr std::uint32_t kLinkTrace = 1, kLinkSpan = 2, kLinkAttributes = 4;
constexpr std::uint32_t kStatusMessage = 2, kStatusCode = 3;
constexpr std::uint32_t kKey = 1, kValue = 2;
constexpr std::uint32_t kText = 1, kTruth = 2, kInteger = 3, kReal = 4, kList = 5, kMap = 6, kBytes = 7;
constexpr std::uint32_t kItems = 1;
}  // namespace field

Error broken() {
  return {ErrorCode::invalid_argument, "the body is no protobuf message of OpenTelemetry's trace service"};
}

std::string hex(std::string_view bytes) {
  return to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

std::string bytes_of(std::string_view hex_digits) {
  const auto bytes = from_hex(hex_digits);
  return bytes ? std::string(bytes->begin(), bytes->end()) : std::string();
}

std::string text_of(std::string_view bytes) { return is_utf8(bytes) ? std::string(bytes) : clean_utf8(bytes); }

bool is_zero(std::string_view hex_digits) { return hex_digits.find_first_not_of('0') == std::string_view::npos; }

/// What both wire forms must hold to.
Result<void> check(const Span& span) {
  if (span.trace.size() != 2 * kTraceIdBytes || is_zero(span.trace)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the span '{}' has the trace id '{}'; expected 16 bytes that are not all zero",
                             clean_utf8(span.name, 100), clean_utf8(span.trace, 100))};
  }
  if (span.id.size() != 2 * kSpanIdBytes || is_zero(span.id)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the span '{}' has the span id '{}'; expected 8 bytes that are not all zero",
                             clean_utf8(span.name, 100), clean_utf8(span.id, 100))};
  }
  if (!span.parent.empty() && span.parent.size() != 2 * kSpanIdBytes) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the span '{}' has the parent id '{}'; expected 8 bytes, or none for a root span",
                             clean_utf8(span.name, 100), clean_utf8(span.parent, 100))};
  }
  if (span.started_ns < 0 || span.ended_ns < 0) {
    return Error{ErrorCode::invalid_argument, fmt::format("the span '{}' has a time after the year 2262; expected "
                                                          "nanoseconds since 1970",
                                                          clean_utf8(span.name, 100))};
  }
  return {};
}

SpanStatus status_of(std::uint64_t code) {
  return code == 1 ? SpanStatus::ok : code == 2 ? SpanStatus::error : SpanStatus::unset;
}

/// An event's time that cannot be is left out, because nothing depends on it.
std::int64_t event_time(std::int64_t ns) { return ns < 0 ? 0 : ns; }

/// A parent of zeros is no parent, as some exporters write it.
std::string parent_of(const std::string& id) { return is_zero(id) ? std::string() : id; }

/// Counts what a request makes us hold.
class Budget {
 public:
  Result<void> take() {
    if (++taken_ <= kOtlpValuesMax) return {};
    return Error{ErrorCode::too_large,
                 fmt::format("one request may hold {} spans, events and attribute values; send fewer spans at a time",
                             kOtlpValuesMax)};
  }

 private:
  size_t taken_ = 0;
};

Error too_deep() {
  return {ErrorCode::invalid_argument,
          fmt::format("an attribute nests lists and maps more than {} deep", kAttributeDepthMax)};
}

// --- protobuf ------------------------------------------------------------------------------------------------------

class Reader {
 public:
  Result<std::vector<SpanBatch>> request(std::string_view bytes) {
    std::vector<SpanBatch> batches;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kResourceSpans)) batches.push_back(TRY(batch(message.bytes())));
    }
    if (!message.ok()) return broken();
    return batches;
  }

  Result<void> spans(std::string_view bytes, std::vector<Span>& out) {
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kSpans)) out.push_back(TRY(span(message.bytes())));
    }
    if (!message.ok()) return broken();
    return {};
  }

 private:
  Result<SpanBatch> batch(std::string_view bytes) {
    TRY(budget_.take());
    SpanBatch out;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kResource)) TRY(resource(message.bytes(), out.resource));
      if (message.is_bytes(field::kScopeSpans)) TRY(spans(message.bytes(), out.spans));
    }
    if (!message.ok()) return broken();
    return out;
  }

  Result<void> resource(std::string_view bytes, Attributes& out) {
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kResourceAttributes)) TRY(pair(message.bytes(), out, 0));
    }
    if (!message.ok()) return broken();
    return {};
  }

  Result<Span> span(std::string_view bytes) {
    TRY(budget_.take());
    Span out;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kTraceId)) out.trace = hex(message.bytes());
      if (message.is_bytes(field::kSpanId)) out.id = hex(message.bytes());
      if (message.is_bytes(field::kParentId)) out.parent = parent_of(hex(message.bytes()));
      if (message.is_bytes(field::kName)) out.name = text_of(message.bytes());
      if (message.is_varint(field::kKind)) out.kind = static_cast<int>(message.scalar() & 0xff);
      if (message.is_fixed64(field::kStart)) out.started_ns = static_cast<std::int64_t>(message.scalar());
      if (message.is_fixed64(field::kEnd)) out.ended_ns = static_cast<std::int64_t>(message.scalar());
      if (message.is_bytes(field::kAttributes)) TRY(pair(message.bytes(), out.attributes, 0));
      if (message.is_bytes(field::kEvents)) out.events.push_back(TRY(event(message.bytes())));
      if (message.is_bytes(field::kLinks)) out.links.push_back(TRY(link(message.bytes())));
      if (message.is_bytes(field::kStatus)) TRY(status(message.bytes(), out));
    }
    if (!message.ok()) return broken();
    TRY(check(out));
    return out;
  }

  Result<void> status(std::string_view bytes, Span& out) {
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kStatusMessage)) out.status_message = text_of(message.bytes());
      if (message.is_varint(field::kStatusCode)) out.status = status_of(message.scalar());
    }
    if (!message.ok()) return broken();
    return {};
  }

  Result<SpanEvent> event(std::string_view bytes) {
    TRY(budget_.take());
    SpanEvent out;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_fixed64(field::kEventTime)) out.at_ns = event_time(static_cast<std::int64_t>(message.scalar()));
      if (message.is_bytes(field::kEventName)) out.name = text_of(message.bytes());
      if (message.is_bytes(field::kEventAttributes)) TRY(pair(message.bytes(), out.attributes, 0));
    }
    if (!message.ok()) return broken();
    return out;
  }

  Result<SpanLink> link(std::string_view bytes) {
    TRY(budget_.take());
    SpanLink out;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kLinkTrace)) out.trace = hex(message.bytes());
      if (message.is_bytes(field::kLinkSpan)) out.span = hex(message.bytes());
      if (message.is_bytes(field::kLinkAttributes)) TRY(pair(message.bytes(), out.attributes, 0));
    }
    if (!message.ok()) return broken();
    return out;
  }

  Result<void> pair(std::string_view bytes, Attributes& out, int depth) {
    TRY(budget_.take());
    std::string key;
    Json found;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kKey)) key = text_of(message.bytes());
      if (message.is_bytes(field::kValue)) found = TRY(value(message.bytes(), depth));
    }
    if (!message.ok()) return broken();
    out.emplace_back(std::move(key), std::move(found));
    return {};
  }

  /// The last of its fields counts, as for every choice in protobuf.
  Result<Json> value(std::string_view bytes, int depth) {
    if (depth > kAttributeDepthMax) return too_deep();
    TRY(budget_.take());
    Json out;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kText)) out = text_of(message.bytes());
      if (message.is_varint(field::kTruth)) out = message.scalar() != 0;
      if (message.is_varint(field::kInteger)) out = static_cast<std::int64_t>(message.scalar());
      if (message.is_fixed64(field::kReal)) out = std::bit_cast<double>(message.scalar());
      if (message.is_bytes(field::kList)) out = TRY(list(message.bytes(), depth + 1));
      if (message.is_bytes(field::kMap)) out = TRY(map(message.bytes(), depth + 1));
      if (message.is_bytes(field::kBytes)) out = base64_encode(message.bytes());
    }
    if (!message.ok()) return broken();
    return out;
  }

  Result<Json> list(std::string_view bytes, int depth) {
    Json::Array items;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kItems)) items.push_back(TRY(value(message.bytes(), depth)));
    }
    if (!message.ok()) return broken();
    return Json(std::move(items));
  }

  Result<Json> map(std::string_view bytes, int depth) {
    Attributes pairs;
    ProtobufReader message(bytes);
    while (message.next()) {
      if (message.is_bytes(field::kItems)) TRY(pair(message.bytes(), pairs, depth));
    }
    if (!message.ok()) return broken();
    return Json(std::move(pairs));
  }

  Budget budget_;
};

std::string pair_bytes(const std::string& key, const Json& value);

std::string value_bytes(const Json& value) {
  ProtobufWriter out;
  if (value.is_bool()) {
    out.integer(field::kTruth, *value.boolean() ? 1 : 0);
  } else if (value.is_integer()) {
    out.integer(field::kInteger, static_cast<std::uint64_t>(*value.integer()));
  } else if (value.is_number()) {
    out.real(field::kReal, *value.number());
  } else if (value.is_string()) {
    out.bytes(field::kText, value.string());
  } else if (value.is_array()) {
    ProtobufWriter items;
    for (const Json& item : value.array()) items.bytes(field::kItems, value_bytes(item));
    out.bytes(field::kList, items.text());
  } else if (value.is_object()) {
    ProtobufWriter items;
    for (const auto& [key, item] : value.object()) items.bytes(field::kItems, pair_bytes(key, item));
    out.bytes(field::kMap, items.text());
  }
  return out.take();
}

std::string pair_bytes(const std::string& key, const Json& value) {
  return ProtobufWriter().bytes(field::kKey, key).bytes(field::kValue, value_bytes(value)).take();
}

void write(ProtobufWriter& out, std::uint32_t number, const Attributes& attributes) {
  for (const auto& [key, value] : attributes) out.bytes(number, pair_bytes(key, value));
}

std::string event_bytes(const SpanEvent& event) {
  ProtobufWriter out;
  out.fixed64(field::kEventTime, static_cast<std::uint64_t>(event.at_ns)).bytes(field::kEventName, event.name);
  write(out, field::kEventAttributes, event.attributes);
  return out.take();
}

std::string link_bytes(const SpanLink& link) {
  ProtobufWriter out;
  out.bytes(field::kLinkTrace, bytes_of(link.trace)).bytes(field::kLinkSpan, bytes_of(link.span));
  write(out, field::kLinkAttributes, link.attributes);
  return out.take();
}

std::string status_bytes(const Span& span) {
  ProtobufWriter out;
  if (!span.status_message.empty()) out.bytes(field::kStatusMessage, span.status_message);
  if (span.status != SpanStatus::unset) out.integer(field::kStatusCode, span.status == SpanStatus::ok ? 1 : 2);
  return out.take();
}

std::string span_bytes(const Span& span) {
  ProtobufWriter out;
  out.bytes(field::kTraceId, bytes_of(span.trace)).bytes(field::kSpanId, bytes_of(span.id));
  if (!span.is_root()) out.bytes(field::kParentId, bytes_of(span.parent));
  out.bytes(field::kName, span.name);
  if (span.kind != 0) out.integer(field::kKind, static_cast<std::uint64_t>(span.kind));
  out.fixed64(field::kStart, static_cast<std::uint64_t>(span.started_ns));
  if (span.ended_ns != 0) out.fixed64(field::kEnd, static_cast<std::uint64_t>(span.ended_ns));
  write(out, field::kAttributes, span.attributes);
  for (const SpanEvent& event : span.events) out.bytes(field::kEvents, event_bytes(event));
  for (const SpanLink& link : span.links) out.bytes(field::kLinks, link_bytes(link));
  if (const std::string status = status_bytes(span); !status.empty()) out.bytes(field::kStatus, status);
  return out.take();
}

// --- JSON ----------------------------------------------------------------------------------------------------------

/// A member by its camelCase name or by that of the .proto file.
const Json& member(const Json& object, std::string_view camel, std::string_view snake) {
  const Json* found = object.find(camel);
  return found ? *found : object[snake];
}

/// 64-bit numbers travel as texts, and are taken as numbers too.
std::optional<std::int64_t> integer_of(const Json& value) {
  return value.is_string() ? parse_i64(value.string()) : value.integer();
}

class JsonReader {
 public:
  Result<std::vector<SpanBatch>> request(const Json& json) {
    std::vector<SpanBatch> batches;
    for (const Json& item : *TRY(list(member(json, "resourceSpans", "resource_spans"), "resourceSpans"))) {
      TRY(budget_.take());
      SpanBatch& batch = batches.emplace_back();
      TRY(attributes(item["resource"], batch.resource));
      for (const Json& scope : *TRY(list(member(item, "scopeSpans", "scope_spans"), "scopeSpans"))) {
        for (const Json& one : *TRY(list(scope["spans"], "spans"))) batch.spans.push_back(TRY(span(one)));
      }
    }
    return batches;
  }

 private:
  /// Never null; an absent list is an empty one.
  static Result<const Json::Array*> list(const Json& value, std::string_view name) {
    if (value.is_null() || value.is_array()) return &value.array();
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is of type {}; expected an array", name, value.type_name())};
  }

  static Result<std::int64_t> time(const Json& value, std::string_view name) {
    if (value.is_null()) return std::int64_t{0};
    if (const auto ns = integer_of(value)) return *ns;
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is {}; expected nanoseconds since 1970", name, clean_utf8(value.render(), 100))};
  }

  /// Hex digits in lower case; what is none of them becomes an id that check() refuses.
  static std::string id(const Json& value) { return lower(from_hex(lower(value.string())) ? value.string() : "?"); }
  static std::string maybe_id(const Json& value) { return value.string().empty() ? std::string() : id(value); }

  Result<Span> span(const Json& json) {
    TRY(budget_.take());
    Span out;
    out.name = json["name"].string();
    out.trace = id(member(json, "traceId", "trace_id"));
    out.id = id(member(json, "spanId", "span_id"));
    out.parent = parent_of(maybe_id(member(json, "parentSpanId", "parent_span_id")));
    out.kind = static_cast<int>(json["kind"].integer().value_or(0) & 0xff);
    out.started_ns = TRY(time(member(json, "startTimeUnixNano", "start_time_unix_nano"), "startTimeUnixNano"));
    out.ended_ns = TRY(time(member(json, "endTimeUnixNano", "end_time_unix_nano"), "endTimeUnixNano"));
    TRY(attributes(json, out.attributes));
    for (const Json& one : *TRY(list(json["events"], "events"))) out.events.push_back(TRY(event(one)));
    for (const Json& one : *TRY(list(json["links"], "links"))) out.links.push_back(TRY(link(one)));
    out.status_message = json["status"]["message"].string();
    out.status = status(json["status"]["code"]);
    TRY(check(out));
    return out;
  }

  static SpanStatus status(const Json& code) {
    if (code.string() == "STATUS_CODE_OK") return SpanStatus::ok;
    if (code.string() == "STATUS_CODE_ERROR") return SpanStatus::error;
    return status_of(static_cast<std::uint64_t>(code.integer().value_or(0)));
  }

  Result<SpanEvent> event(const Json& json) {
    TRY(budget_.take());
    const std::int64_t at_ns = TRY(time(member(json, "timeUnixNano", "time_unix_nano"), "timeUnixNano"));
    SpanEvent out{json["name"].string(), event_time(at_ns), {}};
    TRY(attributes(json, out.attributes));
    return out;
  }

  Result<SpanLink> link(const Json& json) {
    TRY(budget_.take());
    SpanLink out{id(member(json, "traceId", "trace_id")), id(member(json, "spanId", "span_id")), {}};
    TRY(attributes(json, out.attributes));
    return out;
  }

  Result<void> attributes(const Json& owner, Attributes& out) { return pairs(owner["attributes"], out, 0); }

  Result<void> pairs(const Json& given, Attributes& out, int depth) {
    for (const Json& item : *TRY(list(given, "attributes"))) {
      TRY(budget_.take());
      out.emplace_back(item["key"].string(), TRY(value(item["value"], depth)));
    }
    return {};
  }

  Result<Json> value(const Json& json, int depth) {
    if (depth > kAttributeDepthMax) return too_deep();
    TRY(budget_.take());
    if (const Json& text = member(json, "stringValue", "string_value"); text.is_string()) return text;
    if (const Json& truth = member(json, "boolValue", "bool_value"); truth.is_bool()) return truth;
    if (const Json& bytes = member(json, "bytesValue", "bytes_value"); bytes.is_string()) return bytes;
    if (const auto whole = integer_of(member(json, "intValue", "int_value"))) return Json(*whole);
    if (const Json& real = member(json, "doubleValue", "double_value"); !real.is_null())
      return Json(real.is_string() ? parse_double(real.string()).value_or(0) : real.number().value_or(0));
    if (const Json& array = member(json, "arrayValue", "array_value"); array.is_object())
      return items(array, depth + 1);
    if (const Json& map = member(json, "kvlistValue", "kvlist_value"); map.is_object()) {
      Attributes out;
      TRY(pairs(map["values"], out, depth + 1));
      return Json(std::move(out));
    }
    return Json();
  }

  Result<Json> items(const Json& array, int depth) {
    Json::Array out;
    for (const Json& item : *TRY(list(array["values"], "values"))) out.push_back(TRY(value(item, depth)));
    return Json(std::move(out));
  }

  Budget budget_;
};

}  // namespace

Result<std::vector<SpanBatch>> parse_otlp(std::string_view protobuf) { return Reader().request(protobuf); }

Result<std::vector<SpanBatch>> parse_otlp_json(const Json& json) { return JsonReader().request(json); }

std::string render_spans(const std::vector<Span>& spans) {
  ProtobufWriter out;
  for (const Span& span : spans) out.bytes(field::kSpans, span_bytes(span));
  return out.take();
}

Result<std::vector<Span>> parse_spans(std::string_view stored) {
  std::vector<Span> spans;
  TRY(Reader().spans(stored, spans));
  return spans;
}

}  // namespace slipway

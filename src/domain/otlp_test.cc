#include "domain/otlp.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "domain/protobuf.h"

namespace slipway {
namespace {

const std::string kTrace = "0123456789abcdef0123456789abcdef";
const std::string kSpan = "00f067aa0ba902b7";

Span whole_span() {
  Span span;
  span.trace = kTrace;
  span.id = kSpan;
  span.parent = "1111111111111111";
  span.name = "ask ü";
  span.kind = 3;
  span.started_ns = 1'700'000'000'000'000'001;
  span.ended_ns = 1'700'000'000'500'000'002;
  span.status = SpanStatus::error;
  span.status_message = "no answer";
  span.attributes = {{"text", "a"},
                     {"whole", std::int64_t{-7}},
                     {"real", 2.5},
                     {"truth", true},
                     {"none", Json()},
                     {"list", Json(Json::Array{1, "two", Json(Json::Array{})})},
                     {"map", Json().set("deep", Json().set("er", false))}};
  span.events = {{"thrown", 1'700'000'000'100'000'000, {{"message", "x"}}}};
  span.links = {{std::string(32, 'b'), std::string(16, 'c'), {{"why", "retry"}}}};
  return span;
}

std::string request_of(const std::string& spans, const std::string& resource_attribute = "") {
  ProtobufWriter resource_spans;
  if (!resource_attribute.empty()) resource_spans.bytes(1, ProtobufWriter().bytes(1, resource_attribute).text());
  resource_spans.bytes(2, spans);
  return ProtobufWriter().bytes(1, resource_spans.text()).take();
}

std::string message(const Result<std::vector<SpanBatch>>& result) { return result.ok() ? "" : result.error().message; }

TEST(Otlp, spans_come_back_as_they_were_rendered) {
  std::vector<Span> spans{whole_span(), whole_span()};
  spans[1].parent = "";
  spans[1].ended_ns = 0;
  const auto back = parse_spans(render_spans(spans));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, spans);
  EXPECT_EQ(*parse_spans(render_spans({spans[0]}) + render_spans({spans[1]})), spans);
}

TEST(Otlp, a_request_keeps_origin_and_spans_and_passes_over_what_it_does_not_know) {
  const std::string service =
      ProtobufWriter().bytes(1, "service.name").bytes(2, ProtobufWriter().bytes(1, "shop").text()).take();
  const std::string unknown = ProtobufWriter().integer(500, 1).bytes(501, "x").fixed64(502, 3).take();
  const auto batches = parse_otlp(unknown + request_of(unknown + render_spans({whole_span()}), service));
  ASSERT_TRUE(batches.ok()) << message(batches);
  ASSERT_EQ(batches->size(), 1u);
  EXPECT_EQ((*batches)[0].resource, (Attributes{{"service.name", "shop"}}));
  EXPECT_EQ((*batches)[0].spans, std::vector<Span>{whole_span()});
}

TEST(Otlp, ids_must_be_there_and_whole) {
  for (const auto& [trace, id] :
       std::vector<std::pair<std::string, std::string>>{{"", "12345678"},
                                                        {std::string(16, 'a'), ""},
                                                        {std::string(15, 'a'), "12345678"},
                                                        {std::string(16, '\0'), "12345678"},
                                                        {std::string(16, 'a'), std::string(8, '\0')}}) {
    const auto got = parse_otlp(request_of(
        ProtobufWriter().bytes(2, ProtobufWriter().bytes(1, trace).bytes(2, id).bytes(5, "s").text()).text()));
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(message(got).find("span 's'"), std::string::npos) << message(got);
  }
}

TEST(Otlp, cut_off_bytes_are_refused_wherever_they_end) {
  const std::string whole = request_of(render_spans({whole_span()}));
  for (size_t size = 1; size < whole.size(); ++size) EXPECT_FALSE(parse_otlp(whole.substr(0, size)).ok()) << size;
}

TEST(Otlp, attributes_nest_only_so_deep) {
  const auto nested = [](int depth) {
    std::string value = ProtobufWriter().integer(3, 1).take();
    for (int i = 0; i < depth; ++i) value = ProtobufWriter().bytes(5, ProtobufWriter().bytes(1, value).text()).take();
    const std::string pair = ProtobufWriter().bytes(1, "k").bytes(2, value).take();
    return request_of(
        ProtobufWriter()
            .bytes(2, ProtobufWriter().bytes(1, std::string(16, 'a')).bytes(2, "12345678").bytes(9, pair).text())
            .text());
  };
  EXPECT_TRUE(parse_otlp(nested(kAttributeDepthMax)).ok());
  EXPECT_FALSE(parse_otlp(nested(kAttributeDepthMax + 1)).ok());
}

TEST(Otlp, a_small_body_cannot_become_a_large_memory) {
  std::string attributes;
  for (size_t i = 0; i < kOtlpValuesMax + 1; ++i) attributes += std::string("\x4a\x00", 2);
  const auto got = parse_otlp(
      request_of(ProtobufWriter()
                     .bytes(2, ProtobufWriter().bytes(1, std::string(16, 'a')).bytes(2, "12345678").text() + attributes)
                     .text()));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::too_large);
}

TEST(Otlp, json_says_the_same_in_both_spellings) {
  const auto camel = Json::parse(
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
          {"traceId":"0123456789ABCDEF0123456789abcdef","spanId":"00f067aa0ba902b7","name":"ask","kind":2,
           "startTimeUnixNano":"1700000000000000001","endTimeUnixNano":1700000000500000002,
           "attributes":[{"key":"n","value":{"intValue":"-7"}},{"key":"l","value":{"arrayValue":{"values":[{"boolValue":true}]}}},
                         {"key":"m","value":{"kvlistValue":{"values":[{"key":"d","value":{"doubleValue":2.5}}]}}}],
           "status":{"code":"STATUS_CODE_ERROR","message":"bad"},"events":[{"timeUnixNano":"5","name":"e"}]}]}]}]})");
  const auto got = parse_otlp_json(camel.value());
  ASSERT_TRUE(got.ok()) << message(got);
  const Span& span = (*got)[0].spans.at(0);
  EXPECT_EQ(span.trace, kTrace);
  EXPECT_EQ(span.started_ns, 1'700'000'000'000'000'001);
  EXPECT_EQ(span.ended_ns, 1'700'000'000'500'000'002);
  EXPECT_EQ(span.attribute("n").integer(), -7);
  EXPECT_EQ(span.attribute("l").array().at(0), Json(true));
  EXPECT_EQ(span.attribute("m")["d"].number(), 2.5);
  EXPECT_EQ(span.status, SpanStatus::error);
  EXPECT_EQ(span.events.at(0).at_ns, 5);
  const auto snake = Json::parse(
      R"({"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"0123456789abcdef0123456789abcdef","span_id":"00f067aa0ba902b7",
          "name":"ask","start_time_unix_nano":"1","status":{"code":1}}]}]}]})");
  EXPECT_EQ(parse_otlp_json(snake.value()).value()[0].spans.at(0).status, SpanStatus::ok);
}

TEST(Otlp, an_events_time_that_cannot_be_is_left_out) {
  const auto json = Json::parse(
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0123456789abcdef0123456789abcdef","spanId":"00f067aa0ba902b7",
          "events":[{"timeUnixNano":"-9223372036854775808","name":"e"}]}]}]}]})");
  const auto got = parse_otlp_json(json.value());
  ASSERT_TRUE(got.ok()) << message(got);
  EXPECT_EQ((*got)[0].spans.at(0).events.at(0).at_ns, 0);
  EXPECT_EQ(parse_spans(render_spans((*got)[0].spans)).value(), (*got)[0].spans);
}

TEST(Otlp, wrong_json_is_refused_with_the_name_of_what_is_wrong) {
  const auto refused = [](const char* text) { return message(parse_otlp_json(Json::parse(text).value())); };
  EXPECT_NE(refused(R"({"resourceSpans":{}})").find("resourceSpans"), std::string::npos);
  EXPECT_NE(
      refused(R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz","spanId":"1"}]}]}]})").find("trace id"),
      std::string::npos);
  EXPECT_NE(refused(R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"soon"}]}]}]})")
                .find("startTimeUnixNano"),
            std::string::npos);
}

}  // namespace
}  // namespace slipway

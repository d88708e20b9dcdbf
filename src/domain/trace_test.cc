#include "domain/trace.h"

#include <gtest/gtest.h>

#include "domain/span_dialects.h"

namespace slipway {
namespace {

Span span(std::string id, std::string parent, Attributes attributes = {}) {
  Span out;
  out.trace = std::string(32, 'a');
  out.id = std::move(id);
  out.parent = std::move(parent);
  out.attributes = std::move(attributes);
  return out;
}

Json usage(std::int64_t in, std::int64_t out) { return Json().set("input_tokens", in).set("output_tokens", out); }

std::int64_t tokens(const TraceSums& sums, std::string_view key) {
  for (const auto& [name, count] : sums.tokens) {
    if (name == key) return count;
  }
  return -1;
}

TEST(Trace, names_of_states_are_read_back) {
  for (const TraceState state : {TraceState::unspecified, TraceState::in_progress, TraceState::ok, TraceState::error})
    EXPECT_EQ(parse_trace_state(name(state)), state);
  for (const SpanStatus status : {SpanStatus::unset, SpanStatus::ok, SpanStatus::error})
    EXPECT_EQ(parse_span_status(name(status)), status);
  for (const AssessmentKind kind : {AssessmentKind::feedback, AssessmentKind::expectation, AssessmentKind::issue})
    EXPECT_EQ(parse_assessment_kind(name(kind)), kind);
  EXPECT_FALSE(parse_trace_state("ok"));
}

TEST(Trace, a_root_span_ends_a_trace_that_is_not_over) {
  EXPECT_EQ(after_root_span(TraceState::in_progress, SpanStatus::unset), TraceState::ok);
  EXPECT_EQ(after_root_span(TraceState::unspecified, SpanStatus::error), TraceState::error);
  EXPECT_EQ(after_root_span(TraceState::ok, SpanStatus::error), TraceState::ok);
}

TEST(Trace, a_span_that_sums_up_its_children_counts_alone) {
  const std::string key(kSpanUsageKey);
  const std::vector<Span> spans{span("1", "", {{key, usage(30, 3)}}), span("2", "1"),
                                span("3", "2", {{key, usage(10, 1)}}), span("4", "1", {{key, usage(20, 2)}})};
  EXPECT_EQ(tokens(sum_up(spans), "input_tokens"), 30);
  EXPECT_EQ(tokens(sum_up({spans[1], spans[2], spans[3]}), "input_tokens"), 30);
  EXPECT_EQ(tokens(sum_up({spans[1], spans[2], spans[3]}), "output_tokens"), 3);
}

TEST(Trace, sums_are_read_from_json_text_too_and_what_is_no_number_is_passed_over) {
  const std::vector<Span> spans{span("1", "",
                                     {{std::string(kSpanUsageKey), R"({"input_tokens": 5, "output_tokens": "many"})"},
                                      {std::string(kSpanCostKey), Json().set("total_cost", 0.25)}}),
                                span("2", "", {{std::string(kSpanUsageKey), "no json"}})};
  const TraceSums sums = sum_up(spans);
  EXPECT_EQ(tokens(sums, "input_tokens"), 5);
  EXPECT_EQ(tokens(sums, "output_tokens"), -1);
  ASSERT_EQ(sums.cost.size(), 1u);
  EXPECT_EQ(sums.cost[0].second, 0.25);
}

TEST(Trace, spans_that_are_each_others_parents_end) {
  const std::string key(kSpanUsageKey);
  EXPECT_EQ(tokens(sum_up({span("1", "2"), span("2", "1"), span("3", "1", {{key, usage(1, 1)}})}), "input_tokens"), 1);
}

TEST(Trace, roots_come_first_then_by_start) {
  Span late = span("1", ""), early = span("2", "1"), middle = span("3", "1");
  late.started_ns = 5;
  early.started_ns = 1;
  middle.started_ns = 3;
  std::vector<Span> spans{middle, early, late};
  sort_spans(spans);
  EXPECT_EQ(spans[0].id, "1");
  EXPECT_EQ(spans[1].id, "2");
  EXPECT_EQ(spans[2].id, "3");
}

TEST(Trace, an_assessed_value_is_a_number_where_people_mean_one) {
  EXPECT_EQ(number_of(Json(true)), 1);
  EXPECT_EQ(number_of(Json("No")), 0);
  EXPECT_EQ(number_of(Json(0.5)), 0.5);
  EXPECT_FALSE(number_of(Json("good")));
  EXPECT_FALSE(number_of(Json()));
}

TEST(Trace, other_words_for_the_same_are_understood_and_kept) {
  Span asked = span("1", "",
                    {{"gen_ai.operation.name", "chat"},
                     {"gen_ai.input.messages", "hello"},
                     {"gen_ai.usage.input_tokens", std::int64_t{7}},
                     {"gen_ai.usage.output_tokens", std::int64_t{5}},
                     {"gen_ai.request.model", "small"}});
  translate_dialects(asked);
  EXPECT_EQ(span_type(asked), "CHAT_MODEL");
  EXPECT_EQ(asked.attribute(kSpanInputsKey).string(), "hello");
  EXPECT_EQ(asked.attribute(kSpanModelKey).string(), "small");
  EXPECT_EQ(asked.attribute("gen_ai.operation.name").string(), "chat");
  EXPECT_EQ(tokens(sum_up({asked}), "total_tokens"), 12);
  const Span once = asked;
  translate_dialects(asked);
  EXPECT_EQ(asked, once);
}

TEST(Trace, what_is_said_in_mlflows_own_words_stays) {
  Span own = span("1", "",
                  {{std::string(kSpanTypeKey), "TOOL"},
                   {"openinference.span.kind", "LLM"},
                   {"input.value", "x"},
                   {std::string(kSpanInputsKey), "y"}});
  const Span before = own;
  translate_dialects(own);
  EXPECT_EQ(own, before);
}

}  // namespace
}  // namespace slipway

// Traces on both databases: spans and the client's own word in either order, search, assessments, deletion.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tracking/fixture.h"
#include "tracking/span_codec.h"
#include "tracking/span_filter.h"

namespace slipway::tracking {
namespace {

const ExperimentId kExperiment{"0"};

std::string hex_id(int number, size_t digits) { return fmt::format("{:0{}x}", number, digits); }

class TracesTest : public TrackingTest {
 protected:
  Traces& traces() { return tracking_->traces(); }

  static Span span(int trace, int id, int parent, std::string name, Attributes attributes = {}) {
    Span out;
    out.trace = hex_id(trace, 32);
    out.id = hex_id(id, 16);
    if (parent) out.parent = hex_id(parent, 16);
    out.name = std::move(name);
    out.started_ns = 1'000'000'000LL * trace + id * 1'000'000LL;
    out.ended_ns = out.started_ns + 500'000'000;
    out.attributes = std::move(attributes);
    return out;
  }
  static TraceId id_of(int trace) { return TraceId("tr-" + hex_id(trace, 32)); }

  Result<void> log(std::vector<Span> spans, Attributes resource = {}, ExperimentId experiment = kExperiment,
                   ProjectId project = kDefaultProject) {
    std::promise<Result<void>> told;
    traces().log_spans(project, experiment, {{std::move(resource), std::move(spans)}},
                       [&](Result<void> kept) { told.set_value(std::move(kept)); });
    return told.get_future().get();
  }

  Trace told(int trace, TraceState state = TraceState::ok) {
    Trace out;
    out.id = id_of(trace);
    out.experiment = kExperiment;
    out.state = state;
    out.started_at = Time::from_millis(1000 * trace);
    out.duration = std::chrono::milliseconds(250);
    return out;
  }

  std::vector<std::string> found(const std::string& filter, const std::vector<std::string>& order = {},
                                 size_t page_size = 2) {
    TraceQuery query{.project = kDefaultProject, .experiments = {kExperiment}, .page_size = page_size};
    query.filter = parse_filter(filter).value();
    for (const std::string& term : order) query.order.push_back(parse_order(term).value());
    std::vector<std::string> ids;
    while (true) {
      const auto page = traces().search(query);
      EXPECT_TRUE(page.ok()) << filter << ": " << (page.ok() ? "" : page.error().message);
      if (!page.ok()) return {"error"};
      for (const Trace& trace : page->items) ids.push_back(trace.id.text.substr(trace.id.text.size() - 1));
      if (!page->next_page_token) return ids;
      query.page_token = *page->next_page_token;
    }
  }

  static std::string value(const KeyValues& pairs, std::string_view key) {
    for (const auto& [known, text] : pairs) {
      if (known == key) return text;
    }
    return "(absent)";
  }
};
using Ids = std::vector<std::string>;

TEST_P(TracesTest, spans_alone_make_a_trace) {
  ASSERT_TRUE(log({span(1, 2, 1, "child")}, {{"service.name", "shop"}, {"telemetry.sdk.name", "x"}}).ok());
  Trace trace = traces().get(kDefaultProject, id_of(1)).value();
  EXPECT_EQ(trace.state, TraceState::in_progress);
  ASSERT_TRUE(log({span(1, 1, 0, "root",
                        {{"mlflow.spanInputs", Json().set("q", "why")},
                         {"mlflow.traceTag.team", "blue"},
                         {"session.id", "s1"},
                         {"user.id", "ann"}})})
                  .ok());
  trace = traces().get(kDefaultProject, id_of(1)).value();
  EXPECT_EQ(trace.state, TraceState::ok);
  EXPECT_EQ(trace.started_at.millis(), 1001);
  EXPECT_EQ(trace.duration, Duration(std::chrono::milliseconds(501)));
  EXPECT_EQ(trace.request_preview, R"({"q":"why"})");
  EXPECT_EQ(value(trace.tags, kTraceNameTag), "root");
  EXPECT_EQ(value(trace.tags, "service.name"), "shop");
  EXPECT_EQ(value(trace.tags, "telemetry.sdk.name"), "(absent)");
  EXPECT_EQ(value(trace.tags, "team"), "blue");
  EXPECT_EQ(value(trace.tags, kSpansLocationTag), "TRACKING_STORE");
  EXPECT_EQ(value(trace.tags, kArtifactLocationTag), "mlflow-artifacts:/0/traces/" + id_of(1).text + "/artifacts");
  EXPECT_EQ(value(trace.metadata, kTraceSessionKey), "s1");
  EXPECT_EQ(value(trace.metadata, kTraceUserKey), "ann");
  const auto spans = traces().spans(trace).value();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].name, "root");
}

TEST_P(TracesTest, what_the_client_says_counts_more_than_what_spans_say_in_either_order) {
  for (const bool spans_first : {true, false}) {
    const int number = spans_first ? 1 : 2;
    const std::vector<Span> spans{span(number, 1, 0, "root", {{"mlflow.spanInputs", "from the span"}})};
    Trace client = told(number, TraceState::error);
    client.request_preview = "from the client";
    client.tags = {{std::string(kTraceNameTag), "named"}, {"a", "b"}};
    client.metadata = {{std::string(kTokenUsageKey), R"({"input_tokens":7})"}};
    if (spans_first) {
      ASSERT_TRUE(log(spans).ok());
    }
    ASSERT_TRUE(traces().start(kDefaultProject, client).ok());
    if (!spans_first) {
      ASSERT_TRUE(log(spans).ok());
    }
    const Trace trace = traces().get(kDefaultProject, id_of(number)).value();
    EXPECT_EQ(trace.state, TraceState::error);
    EXPECT_EQ(trace.started_at, client.started_at);
    EXPECT_EQ(trace.duration, client.duration);
    EXPECT_EQ(trace.request_preview, "from the client");
    EXPECT_EQ(value(trace.tags, kTraceNameTag), "named");
    EXPECT_EQ(value(trace.tags, "a"), "b");
    EXPECT_EQ(traces().spans(trace).value(), spans);
  }
}

TEST_P(TracesTest, a_span_that_comes_twice_is_there_once_and_the_later_one_counts) {
  ASSERT_TRUE(log({span(1, 1, 0, "old")}).ok());
  ASSERT_TRUE(log({span(1, 1, 0, "new")}).ok());
  const Trace trace = traces().get(kDefaultProject, id_of(1)).value();
  ASSERT_EQ(traces().spans(trace).value().size(), 1u);
  EXPECT_EQ(traces().spans(trace).value()[0].name, "new");
  EXPECT_EQ(found("span.name = 'new'"), Ids{"1"});
  EXPECT_EQ(found("span.name = 'old'"), Ids{});
  // Told by its client, its rows are put together; the same spans are there.
  ASSERT_TRUE(traces().start(kDefaultProject, told(1)).ok());
  EXPECT_EQ(traces().spans(trace).value()[0].name, "new");
}

TEST_P(TracesTest, tokens_are_summed_over_all_batches_unless_the_client_says_them) {
  const auto usage = [](std::int64_t tokens) { return Json().set("input_tokens", tokens); };
  ASSERT_TRUE(log({span(1, 2, 1, "child", {{std::string(kSpanUsageKey), usage(3)}})}).ok());
  ASSERT_TRUE(log({span(1, 3, 1, "child", {{std::string(kSpanUsageKey), usage(4)}})}).ok());
  EXPECT_EQ(value(traces().get(kDefaultProject, id_of(1)).value().metadata, kTokenUsageKey), R"({"input_tokens":7})");
  ASSERT_TRUE(log({span(1, 1, 0, "root", {{std::string(kSpanUsageKey), usage(7)}})}).ok());
  EXPECT_EQ(value(traces().get(kDefaultProject, id_of(1)).value().metadata, kTokenUsageKey), R"({"input_tokens":7})");
}

TEST_P(TracesTest, nothing_is_kept_of_a_request_for_an_experiment_that_does_not_exist) {
  EXPECT_EQ(log({span(1, 1, 0, "root")}, {}, ExperimentId("none")).error().code, ErrorCode::not_found);
  Trace trace = told(1);
  trace.experiment = ExperimentId("none");
  EXPECT_EQ(traces().start(kDefaultProject, trace).error().code, ErrorCode::not_found);
  EXPECT_EQ(traces().get(kDefaultProject, id_of(1)).error().code, ErrorCode::not_found);
}

TEST_P(TracesTest, other_projects_do_not_see_it) {
  ASSERT_TRUE(log({span(1, 1, 0, "root")}).ok());
  const ProjectId other("other");
  EXPECT_EQ(traces().get(other, id_of(1)).error().code, ErrorCode::not_found);
  EXPECT_EQ(traces().get(other, std::vector<TraceId>{id_of(1)}).value().size(), 0u);
  EXPECT_EQ(traces().set_tag(other, id_of(1), "a", "b").error().code, ErrorCode::not_found);
}

TEST_P(TracesTest, search_filters_by_what_a_trace_says_and_pages_in_order) {
  for (int i = 1; i <= 5; ++i) {
    Trace trace = told(i, i == 3 ? TraceState::error : TraceState::ok);
    trace.duration = std::chrono::milliseconds(100 * i);
    trace.tags = {{std::string(kTraceNameTag), i % 2 ? "odd" : "even"}, {"n", std::to_string(i)}};
    if (i > 3) trace.metadata = {{std::string(kTraceSessionKey), "late"}, {"my key", "v"}};
    trace.client_request_id = "c" + std::to_string(i);
    ASSERT_TRUE(traces().start(kDefaultProject, trace).ok());
  }
  EXPECT_EQ(found(""), (Ids{"5", "4", "3", "2", "1"}));
  EXPECT_EQ(found("status = 'ERROR'"), Ids{"3"});
  EXPECT_EQ(found("trace.status != 'ERROR' AND timestamp_ms < 3000"), (Ids{"2", "1"}));
  EXPECT_EQ(found("execution_time_ms >= 400"), (Ids{"5", "4"}));
  EXPECT_EQ(found("end_time_ms <= 1100"), Ids{"1"});
  EXPECT_EQ(found("name = 'odd' AND tags.n IN ('1', '4', '5')"), (Ids{"5", "1"}));
  EXPECT_EQ(found("tags.`mlflow.traceName` LIKE 'ev%'"), (Ids{"4", "2"}));
  EXPECT_EQ(found("metadata.`my key` = 'v'"), (Ids{"5", "4"}));
  EXPECT_EQ(found("metadata.mlflow.trace.session IS NULL"), (Ids{"3", "2", "1"}));
  EXPECT_EQ(found("client_request_id = 'c2'"), Ids{"2"});
  EXPECT_EQ(found("request_id = '" + id_of(4).text + "'"), Ids{"4"});
  EXPECT_EQ(found("", {"execution_time_ms ASC"}), (Ids{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(found("", {"name", "timestamp_ms ASC"}), (Ids{"2", "4", "1", "3", "5"}));
  EXPECT_EQ(found("", {"metadata.`my key` DESC", "timestamp ASC"}), (Ids{"4", "5", "1", "2", "3"}));
}

TEST_P(TracesTest, conditions_on_spans_mean_one_span) {
  ASSERT_TRUE(log({span(1, 1, 0, "root", {{"mlflow.spanType", "CHAIN"}}),
                   span(1, 2, 1, "ask", {{"mlflow.spanType", "LLM"}, {"temperature", 0.5}, {"model", "small"}})})
                  .ok());
  ASSERT_TRUE(
      log({span(2, 1, 0, "root", {{"mlflow.spanType", "LLM"}}), span(2, 2, 1, "ask", {{"model", "large"}})}).ok());
  EXPECT_EQ(found("span.name = 'ask' AND span.type = 'LLM'"), Ids{"1"});
  EXPECT_EQ(found("span.type = 'LLM'"), (Ids{"2", "1"}));
  EXPECT_EQ(found("span.attributes.model = 'large'"), Ids{"2"});
  EXPECT_EQ(found("span.attributes.model LIKE '%a%' AND span.type = 'LLM'"), Ids{"1"});
  EXPECT_EQ(found("span.attributes.temperature = '0.5'"), Ids{"1"});
  EXPECT_EQ(found("text LIKE '%small%'"), Ids{"1"});
  EXPECT_EQ(found("span.content ILIKE '%LARGE%'"), Ids{"2"});
  EXPECT_EQ(found("span.content LIKE '%nowhere%'"), Ids{});
}

TEST_P(TracesTest, a_filter_that_means_nothing_is_refused_with_a_sentence) {
  for (const char* filter :
       {"metrics.loss > 1", "nonsense = 'x'", "span.color = 'red'", "span.content = 'x'", "timestamp_ms = 'x'",
        "status > 5", "prompt LIKE 'x'", "feedback.a.b IN (1)", "issue.name = 'x'"}) {
    TraceQuery query{.project = kDefaultProject, .experiments = {kExperiment}};
    const auto parsed = parse_filter(filter);
    if (!parsed.ok()) continue;
    query.filter = *parsed;
    const auto page = traces().search(query);
    ASSERT_FALSE(page.ok()) << filter;
    EXPECT_EQ(page.error().code, ErrorCode::invalid_argument) << filter;
  }
}

TEST_P(TracesTest, assessments_are_kept_changed_overridden_and_searched) {
  ASSERT_TRUE(traces().start(kDefaultProject, told(1)).ok());
  ASSERT_TRUE(traces().start(kDefaultProject, told(2)).ok());
  Assessment good;
  good.trace = id_of(1);
  good.name = "quality";
  good.source_type = "HUMAN";
  good.value = 0.9;
  good.metadata = {{"a", "1"}};
  const Assessment first = traces().assess(kDefaultProject, good).value();
  Assessment text = good;
  text.trace = id_of(2);
  text.value = "fine";
  ASSERT_TRUE(traces().assess(kDefaultProject, text).ok());
  EXPECT_EQ(found("feedback.quality > 0.5"), Ids{"1"});
  EXPECT_EQ(found("feedback.quality = 'fine'"), Ids{"2"});
  EXPECT_EQ(found("feedback.quality IS NOT NULL"), (Ids{"2", "1"}));
  EXPECT_EQ(found("expectation.quality IS NULL"), (Ids{"2", "1"}));

  Assessment better = good;
  better.value = 0.1;
  better.overrides = first.id.text;
  const Assessment second = traces().assess(kDefaultProject, better).value();
  EXPECT_FALSE(traces().assessment(kDefaultProject, id_of(1), first.id).value().valid);
  EXPECT_EQ(found("feedback.quality > 0.5"), Ids{});
  ASSERT_TRUE(traces().delete_assessment(kDefaultProject, id_of(1), second.id).ok());
  ASSERT_TRUE(traces().delete_assessment(kDefaultProject, id_of(1), second.id).ok());
  EXPECT_TRUE(traces().assessment(kDefaultProject, id_of(1), first.id).value().valid);

  AssessmentChange change;
  change.feedback = Json("yes");
  change.rationale = "because";
  change.metadata = Attributes{{"b", "2"}};
  const Assessment changed = traces().change_assessment(kDefaultProject, id_of(1), first.id, change).value();
  EXPECT_EQ(changed.value, Json("yes"));
  EXPECT_EQ(changed.rationale, "because");
  EXPECT_EQ(changed.metadata, (Attributes{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(changed.created_at, first.created_at);
  AssessmentChange wrong;
  wrong.expectation = Json(1);
  EXPECT_EQ(traces().change_assessment(kDefaultProject, id_of(1), first.id, wrong).error().code,
            ErrorCode::invalid_argument);
  better.overrides = "a-none";
  EXPECT_EQ(traces().assess(kDefaultProject, better).error().code, ErrorCode::not_found);
  EXPECT_EQ(traces().get(kDefaultProject, id_of(1)).value().assessments.size(), 1u);
}

TEST_P(TracesTest, traces_are_found_by_the_run_they_were_linked_to_or_made_in) {
  const tracking::Run run = create();
  Trace inside = told(1);
  inside.metadata = {{std::string(kSourceRunKey), run.id.text}};
  ASSERT_TRUE(traces().start(kDefaultProject, inside).ok());
  ASSERT_TRUE(traces().start(kDefaultProject, told(2)).ok());
  ASSERT_TRUE(traces().start(kDefaultProject, told(3)).ok());
  ASSERT_TRUE(traces().link_to_run(kDefaultProject, {id_of(3), id_of(9)}, run.id).ok());
  ASSERT_TRUE(traces().link_to_run(kDefaultProject, {id_of(3)}, run.id).ok());
  EXPECT_EQ(found("run_id = '" + run.id.text + "'"), (Ids{"3", "1"}));
  EXPECT_EQ(traces().link_to_run(kDefaultProject, {id_of(3)}, RunId("none")).error().code, ErrorCode::not_found);
  ASSERT_TRUE(traces().link_prompts(kDefaultProject, id_of(2), {"ask/1"}).ok());
  EXPECT_EQ(found("prompt = 'ask/1'"), Ids{"2"});
}

TEST_P(TracesTest, two_filters_are_counted_together) {
  for (int i = 1; i <= 6; ++i) {
    Trace trace = told(i, i <= 3 ? TraceState::error : TraceState::ok);
    trace.tags = {{"slow", i == 1 || i == 2 || i == 6 ? "yes" : "no"}};
    ASSERT_TRUE(traces().start(kDefaultProject, trace).ok());
  }
  const auto counts = traces()
                          .count(kDefaultProject, {kExperiment}, parse_filter("timestamp_ms > 1000").value(),
                                 parse_filter("status = 'ERROR'").value(), parse_filter("tags.slow = 'yes'").value())
                          .value();
  EXPECT_EQ(counts.total, 5);
  EXPECT_EQ(counts.first, 2);
  EXPECT_EQ(counts.second, 2);
  EXPECT_EQ(counts.both, 1);
}

TEST_P(TracesTest, deletion_takes_all_rows_and_only_what_was_meant) {
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(log({span(i, 1, 0, "root", {{"k", "v"}})}).ok());
  TraceRemoval oldest{.experiment = kExperiment, .until = Time::from_millis(3500), .most = 2};
  EXPECT_EQ(traces().remove(kDefaultProject, oldest).value(), 2);
  EXPECT_EQ(found(""), (Ids{"4", "3"}));
  TraceRemoval named{.experiment = kExperiment, .ids = {id_of(4), id_of(1)}};
  EXPECT_EQ(traces().remove(kDefaultProject, named).value(), 1);
  EXPECT_EQ(found(""), Ids{"3"});
  const auto left = database_->read_value([](catalog::Connection& c) {
    return c.first("SELECT (SELECT COUNT(*) FROM trace_spans) + (SELECT COUNT(*) FROM trace_span_batches)", {},
                   [](const catalog::Row& row) { return row.integer(0); });
  });
  EXPECT_EQ(left.value(), 2);
}

TEST_P(TracesTest, a_tag_is_replaced_deleted_and_missed) {
  ASSERT_TRUE(traces().start(kDefaultProject, told(1)).ok());
  ASSERT_TRUE(traces().set_tag(kDefaultProject, id_of(1), "a", "1").ok());
  ASSERT_TRUE(traces().set_tag(kDefaultProject, id_of(1), "a", std::string(9000, 'x')).ok());
  EXPECT_EQ(value(traces().get(kDefaultProject, id_of(1)).value().tags, "a").size(), kTraceTagValueMax);
  ASSERT_TRUE(traces().delete_tag(kDefaultProject, id_of(1), "a").ok());
  EXPECT_EQ(traces().delete_tag(kDefaultProject, id_of(1), "a").error().code, ErrorCode::not_found);
}

SLIPWAY_ON_BOTH_DATABASES(TracesTest);

TEST(SpanCodec, damaged_rows_are_said_to_be_damaged) {
  Span span;
  span.trace = hex_id(1, 32);
  span.id = hex_id(1, 16);
  const PackedSpans packed = pack_spans({span});
  EXPECT_EQ(unpack_spans(packed.body).value(), std::vector<Span>{span});
  for (const std::string& body :
       {std::string(), std::string("\x07"), "\x02" + packed.body.substr(1),
        packed.body.substr(0, packed.body.size() - 1), std::string("\x01\xff\xff\xff\xff", 5) + "x"}) {
    const auto read = unpack_spans(body);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::data_loss);
  }
}

TEST(SpanFilter, like_is_as_in_sql) {
  EXPECT_TRUE(is_like("hello", "he%o"));
  EXPECT_TRUE(is_like("hello", "%"));
  EXPECT_TRUE(is_like("", "%%"));
  EXPECT_TRUE(is_like("hüllo", "h_llo"));
  EXPECT_TRUE(is_like("aXbXc", "a%X%c"));
  EXPECT_FALSE(is_like("hello", "hell"));
  EXPECT_FALSE(is_like("hello", "hello_"));
  EXPECT_FALSE(is_like("", "_"));
}

}  // namespace
}  // namespace slipway::tracking

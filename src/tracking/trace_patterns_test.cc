// RLIKE in searches of traces, and the files of traces, on SQLite and on PostgreSQL.
#include <fmt/format.h>

#include "tracking/fixture.h"
#include "tracking/pattern.h"

namespace slipway::tracking {
namespace {

class TracePatternsTest : public TrackingTest {
 protected:
  Traces& traces() { return tracking_->traces(); }

  TraceId tell(const std::string& id, const std::string& name, KeyValues tags = {}, KeyValues metadata = {}) {
    Trace trace;
    trace.id = TraceId(id);
    trace.experiment = ExperimentId("0");
    trace.state = TraceState::ok;
    trace.tags = std::move(tags);
    trace.tags.emplace_back(kTraceNameTag, name);
    trace.metadata = std::move(metadata);
    EXPECT_TRUE(traces().start(kDefaultProject, trace).ok());
    return trace.id;
  }
  std::string found(const std::string& filter) {
    TraceQuery query{.project = kDefaultProject, .experiments = {ExperimentId("0")}, .page_size = 1};
    const auto parsed = parse_pattern_filter(filter);
    if (!parsed.ok()) return parsed.error().message;
    query.filter = *parsed;
    query.order.push_back(parse_order("name").value());
    std::string ids;
    while (true) {
      const auto page = traces().search(query);
      if (!page.ok()) return page.error().message;
      for (const Trace& trace : page->items) ids += (ids.empty() ? "" : " ") + trace.id.text;
      if (!page->next_page_token) return ids;
      query.page_token = *page->next_page_token;
    }
  }
};
SLIPWAY_ON_BOTH_DATABASES(TracePatternsTest);

TEST_P(TracePatternsTest, a_pattern_is_found_anywhere_in_the_text) {
  tell("one", "checkout/pay", {{"team", "blue-7"}}, {{"mlflow.trace.session", "s-12"}});
  tell("two", "checkout/list", {{"team", "red"}});
  Assessment judged;
  judged.trace = TraceId("two");
  judged.name = "quality";
  judged.source_type = "HUMAN";
  judged.value = Json("rather good");
  ASSERT_TRUE(traces().assess(kDefaultProject, judged).ok());
  EXPECT_EQ(found("name RLIKE 'pay|list'"), "two one");
  EXPECT_EQ(found("name RLIKE '^checkout/p'"), "one");
  EXPECT_EQ(found("name RLIKE 'PAY'"), "");
  EXPECT_EQ(found("name RLIKE '(?i)PAY'"), "one");
  EXPECT_EQ(found("tags.team RLIKE '^(blue|green)-[0-9]+$'"), "one");
  EXPECT_EQ(found("tags.absent RLIKE '.*'"), "");
  EXPECT_EQ(found("metadata.mlflow.trace.session RLIKE '^s-\\d+$'"), "one");
  EXPECT_EQ(found("session RLIKE '12'"), "one");
  EXPECT_EQ(found("request_id RLIKE 'tw'"), "two");
  EXPECT_EQ(found("status RLIKE '^OK$' AND feedback.quality RLIKE 'good$'"), "two");
  EXPECT_EQ(traces()
                .count(kDefaultProject, {ExperimentId("0")}, {}, parse_pattern_filter("name RLIKE 'pay'").value(), {})
                ->first,
            1);
}

TEST_P(TracePatternsTest, spans_are_looked_into) {
  Span span;
  span.trace = std::string(31, '0') + "1";
  span.id = "00000000000000aa";
  span.name = "tool:search";
  span.started_ns = 1000;
  span.ended_ns = 2000;
  span.attributes = {{"model", "gpt-4o-mini"}};
  std::promise<Result<void>> kept;
  traces().log_spans(kDefaultProject, ExperimentId("0"), {{{}, {span}}},
                     [&](Result<void> result) { kept.set_value(std::move(result)); });
  ASSERT_TRUE(kept.get_future().get().ok());
  const std::string id = "tr-" + span.trace;
  EXPECT_EQ(found("span.name RLIKE '^tool:'"), id);
  EXPECT_EQ(found("span.name RLIKE '^agent:'"), "");
  EXPECT_EQ(found("span.attributes.model RLIKE 'gpt-4.*mini' AND span.name = 'tool:search'"), id);
  EXPECT_EQ(found("span.content RLIKE '\"model\":\"gpt'"), id);
  EXPECT_EQ(found("trace.text RLIKE 'nothing of it'"), "");
}

TEST_P(TracePatternsTest, what_is_no_pattern_is_refused) {
  for (const char* filter : {"name RLIKE '('", "name RLIKE '(a)\\1'", "name RLIKE 'a(?=b)'", "timestamp_ms RLIKE '1'",
                             "tags.a RLIKE 5", "span.name RLIKE '['"}) {
    const auto parsed = parse_pattern_filter(filter);
    ASSERT_TRUE(parsed.ok()) << filter;
    EXPECT_EQ(check_trace_filter(*parsed).error().code, ErrorCode::invalid_argument) << filter;
  }
  EXPECT_EQ(Pattern::make(std::string(kPatternBytesMax + 1, 'a')).error().code, ErrorCode::too_large);
}

TEST(PatternTest, a_tricky_expression_costs_no_more_than_the_text) {
  const Pattern pattern = Pattern::make("(a*)*(a*)*(a|aa)+$b").value();
  const Time start = system_clock().steady();
  EXPECT_FALSE(pattern.is_in(std::string(100'000, 'a')));
  EXPECT_LT(system_clock().steady() - start, std::chrono::seconds(5));
}

TEST_P(TracePatternsTest, files_of_a_trace_are_kept_and_go_with_it) {
  TraceFiles& files = tracking_->trace_files();
  const TraceId trace = tell("one", "n");
  const Hash hash = hash_of("bytes");
  ASSERT_TRUE(files.put(kDefaultProject, trace, "attachments/a", hash, 5).ok());
  ASSERT_TRUE(files.put(kDefaultProject, trace, "attachments/b", hash_of("old"), 3).ok());
  ASSERT_TRUE(files.put(kDefaultProject, trace, "attachments/b", hash, 5).ok());
  ASSERT_TRUE(files.put(kDefaultProject, trace, "traces.json", hash, 5).ok());
  EXPECT_EQ(files.get(kDefaultProject, trace, "attachments/b")->hash, hash);
  EXPECT_EQ(files.all(kDefaultProject, trace, "attachments")->size(), 2u);
  EXPECT_EQ(files.all(kDefaultProject, trace, "attach")->size(), 0u);
  EXPECT_EQ(files.all(kDefaultProject, trace, "")->size(), 3u);
  EXPECT_EQ(files.get(ProjectId("elsewhere"), trace, "traces.json").error().code, ErrorCode::not_found);
  EXPECT_EQ(files.put(kDefaultProject, TraceId("none"), "a", hash, 5).error().code, ErrorCode::not_found);
  EXPECT_EQ(files.put(kDefaultProject, trace, "../a", hash, 5).error().code, ErrorCode::invalid_argument);
  ASSERT_TRUE(files.remove(kDefaultProject, trace, "attachments").ok());
  EXPECT_EQ(files.all(kDefaultProject, trace, "")->size(), 1u);
  size_t named = 0;
  ASSERT_TRUE(files.visit([&](const Hash& one) { named += one == hash; }).ok());
  EXPECT_EQ(named, 1u);
  ASSERT_EQ(traces().remove(kDefaultProject, {.experiment = ExperimentId("0"), .ids = {trace}}).value(), 1);
  named = 0;
  ASSERT_TRUE(files.visit([&](const Hash&) { ++named; }).ok());
  EXPECT_EQ(named, 0u);
}

}  // namespace
}  // namespace slipway::tracking

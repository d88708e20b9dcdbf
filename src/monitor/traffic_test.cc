#include "monitor/traffic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"

namespace slipway::monitor {
namespace {

using namespace std::chrono_literals;

class TrafficTest : public testing::Test {
 protected:
  TrafficTest()
      : database(
            catalog::Database::open({.url = "sqlite:" + (folder.path() / "db").string()}, catalog::schema(), counters)
                .value()),
        traffic(*database, clock) {}

  void ask(Duration latency = 1ms, bool ok = true, double confidence = 0.5) {
    PredictionServed one;
    one.project = kDefaultProject;
    one.deployment_name = "digits";
    one.at = clock.now();
    one.latency = latency;
    one.ok = ok;
    one.statistics.confidence = confidence;
    traffic.count(one);
  }

  TemporaryDirectory folder;
  Counters counters;
  FakeClock clock{Time{60'000'000LL * 28'000'000}};  // a whole minute
  std::unique_ptr<catalog::Database> database;
  Traffic traffic;
};

TEST_F(TrafficTest, spans_count_requests_errors_and_quantiles) {
  for (int i = 0; i < 98; ++i) ask();
  ask(100ms, true, 1.0);
  ask(100ms, false, std::nan(""));
  clock.advance(61s);
  const auto spans = traffic.spans(kDefaultProject, "digits", 3, 1).value();
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].requests, 0);
  EXPECT_FALSE(spans[0].p50_ms || spans[0].confidence_mean);
  EXPECT_EQ(spans[1].requests, 100);
  EXPECT_EQ(spans[1].errors, 1);
  EXPECT_NEAR(*spans[1].p50_ms, 1, 0.25);
  EXPECT_NEAR(*spans[1].p99_ms, 100, 25);
  EXPECT_NEAR(*spans[1].confidence_mean, 50.0 / 99, 1e-9);
}

TEST_F(TrafficTest, what_is_written_and_what_is_not_are_counted_once_each) {
  ask();
  traffic.write();
  ask();
  EXPECT_EQ(traffic.spans(kDefaultProject, "digits", 1, 1)->back().requests, 2);
  EXPECT_EQ(traffic.totals(kDefaultProject, "digits")->requests, 2);
  traffic.write();
  traffic.write();
  ask();
  EXPECT_EQ(traffic.spans(kDefaultProject, "digits", 1, 1)->back().requests, 3);
  EXPECT_EQ(traffic.totals(kDefaultProject, "digits")->requests, 3);
}

TEST_F(TrafficTest, survives_a_restart) {
  ask(2ms);
  ask(2ms, false);
  traffic.write();
  Traffic next(*database, clock);
  const TrafficTotals totals = next.totals(kDefaultProject, "digits").value();
  EXPECT_EQ(totals.requests, 2);
  EXPECT_EQ(totals.errors, 1);
  EXPECT_NEAR(*totals.p50_ms, 2, 0.5);
  EXPECT_EQ(next.totals(kDefaultProject, "others")->requests, 0);
}

TEST_F(TrafficTest, is_written_when_it_has_waited_long_enough) {
  ask();
  traffic.write_if_due();
  EXPECT_EQ(Traffic(*database, clock).totals(kDefaultProject, "digits")->requests, 0);
  clock.advance(kTrafficWriteInterval);
  traffic.write_if_due();
  EXPECT_EQ(Traffic(*database, clock).totals(kDefaultProject, "digits")->requests, 1);
}

TEST_F(TrafficTest, wider_spans_begin_at_whole_multiples_and_hold_the_minutes_in_them) {
  for (int minute = 0; minute < 30; ++minute) {
    ask();
    clock.advance(1min);
  }
  const auto spans = traffic.spans(kDefaultProject, "digits", 30, 10).value();
  ASSERT_EQ(spans.size(), 4u);  // of half an hour that begins inside one
  for (const auto& span : spans) EXPECT_EQ(span.at.micros % (10 * 60'000'000LL), 0);
  EXPECT_EQ(spans[0].requests + spans[1].requests + spans[2].requests + spans[3].requests, 30);
}

TEST_F(TrafficTest, the_rate_slides_from_the_last_minute_into_this_one) {
  for (int i = 0; i < 60; ++i) ask();
  clock.advance(90s);
  EXPECT_NEAR(traffic.totals(kDefaultProject, "digits")->per_s, 0.5, 1e-9);
  clock.advance(10min);
  const TrafficTotals later = traffic.totals(kDefaultProject, "digits").value();
  EXPECT_EQ(later.per_s, 0);
  EXPECT_FALSE(later.p99_ms);
  EXPECT_EQ(later.requests, 60);
}

TEST(Buckets, are_read_back_as_they_were_rendered_and_nonsense_counts_nothing) {
  LatencyHistogram::Counts counts{};
  counts[0] = 3;
  counts[103] = 1;
  EXPECT_EQ(render_buckets(counts), "0:3,103:1");
  EXPECT_EQ(parse_buckets("0:3,103:1"), counts);
  EXPECT_EQ(parse_buckets("104:1,x:2,3:,1,2,3"), LatencyHistogram::Counts{});
  EXPECT_EQ(parse_buckets(""), LatencyHistogram::Counts{});
}

}  // namespace
}  // namespace slipway::monitor

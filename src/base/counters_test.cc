#include "base/counters.h"

#include <gtest/gtest.h>

#include <thread>

namespace slipway {
namespace {

TEST(Counters, one_name_and_labels_are_one_object) {
  Counters counters;
  Counter& a = counters.counter("requests_total", "Requests", {{"code", "200"}});
  Counter& b = counters.counter("requests_total", "Requests", {{"code", "404"}});
  a.add(2);
  EXPECT_EQ(&a, &counters.counter("requests_total", "Requests", {{"code", "200"}}));
  EXPECT_NE(&a, &b);
  EXPECT_EQ(a.value(), 2u);
}

TEST(Counters, are_rendered_as_prometheus_text) {
  Counters counters;
  counters.counter("requests_total", "Requests", {{"path", "a\"b\\c\nd"}}).add(3);
  counters.gauge("queue", "Waiting").set(-4);
  counters.latency("wait_seconds", "Waits", {{"who", "x"}}).record(Duration(3));
  const std::string text = counters.render();
  EXPECT_NE(text.find("# HELP slipway_requests_total Requests\n# TYPE slipway_requests_total counter\n"
                      "slipway_requests_total{path=\"a\\\"b\\\\c\\nd\"} 3\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("slipway_queue -4\n"), std::string::npos);
  EXPECT_NE(text.find("slipway_wait_seconds_bucket{who=\"x\",le=\"2e-06\"} 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("slipway_wait_seconds_bucket{who=\"x\",le=\"4e-06\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("slipway_wait_seconds_bucket{who=\"x\",le=\"+Inf\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("slipway_wait_seconds_sum{who=\"x\"} 3e-06\nslipway_wait_seconds_count{who=\"x\"} 1\n"),
            std::string::npos)
      << text;
}

TEST(Latency, a_quantile_is_the_upper_edge_of_its_bucket) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), Duration(0));
  for (int i = 0; i < 90; ++i) histogram.record(Duration(100));
  for (int i = 0; i < 10; ++i) histogram.record(Duration(5000));
  EXPECT_EQ(histogram.quantile(0), Duration(112));
  EXPECT_EQ(histogram.quantile(0.5), Duration(112));
  EXPECT_EQ(histogram.quantile(0.99), Duration(5120));
  EXPECT_EQ(histogram.quantile(1), Duration(5120));
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.sum(), Duration(59'000));
}

TEST(Latency, the_edges_belong_to_the_lower_bucket_and_nothing_is_too_long_or_negative) {
  LatencyHistogram histogram;
  for (std::int64_t us : {-5, 0, 1, 2, 3, 4}) histogram.record(Duration(us));
  histogram.record(std::chrono::hours(24));
  const auto buckets = histogram.buckets();
  EXPECT_EQ(buckets[0], 3u);
  for (size_t i : {1, 2, 3}) EXPECT_EQ(buckets[i], 1u) << i;
  EXPECT_EQ(buckets[LatencyHistogram::kBuckets - 1], 1u);
}

TEST(Latency, a_bucket_takes_what_is_over_the_edge_before_it_and_at_most_its_own) {
  Duration before(0);
  for (size_t i = 0; i < LatencyHistogram::kBuckets; ++i) {
    const Duration edge = LatencyHistogram::upper_edge(i);
    EXPECT_EQ(LatencyHistogram::bucket_of(before + Duration(1)), i);
    EXPECT_EQ(LatencyHistogram::bucket_of(edge), i);
    if (i >= 4) {
      EXPECT_LE(edge.count() * 4, before.count() * 5) << i;
    }
    before = edge;
  }
  EXPECT_EQ(before, Duration(std::int64_t{1} << 27));
}

TEST(Counters, may_be_used_from_many_threads) {
  Counters counters;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        counters.counter("a_total", "A", {{"i", std::to_string(i % 10)}}).add();
        if (i % 100 == 0) (void)counters.render();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counters.counter("a_total", "A", {{"i", "7"}}).value(), 400u);
}

TEST(CountersDeathTest, one_name_has_one_type) {
  Counters counters;
  counters.counter("a_total", "A");
  EXPECT_DEATH(counters.gauge("a_total", "A"), "another type");
}

}  // namespace
}  // namespace slipway

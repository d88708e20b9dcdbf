#include "serving/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::serving {
namespace {

using namespace std::chrono_literals;

TEST(Traffic, minutes_count_requests_errors_and_quantiles) {
  Traffic traffic;
  const Time start{60'000'000LL * 1000};
  for (int i = 0; i < 98; ++i) traffic.record(start, 1ms, true, 0.5);
  traffic.record(start, 100ms, true, 1.0);
  traffic.record(start, 100ms, false, NAN);
  const auto minutes = traffic.minutes(start + 61s, 3);
  ASSERT_EQ(minutes.size(), 3u);
  EXPECT_EQ(minutes[0].requests, 0u);
  EXPECT_TRUE(std::isnan(minutes[0].confidence_mean));
  EXPECT_EQ(minutes[1].requests, 100u);
  EXPECT_EQ(minutes[1].errors, 1u);
  EXPECT_NEAR(minutes[1].p50_ms, 1, 0.2);
  EXPECT_NEAR(minutes[1].p99_ms, 100, 20);
  EXPECT_NEAR(minutes[1].confidence_mean, 50.0 / 99, 1e-9);
  EXPECT_EQ(traffic.totals(start + 61s).requests, 100u);
}

TEST(Traffic, old_minutes_go) {
  Traffic traffic;
  for (size_t i = 0; i < Traffic::kMinutesKept + 10; ++i) traffic.record({static_cast<std::int64_t>(i) * 60'000'000}, 1ms, true, NAN);
  const Time now{static_cast<std::int64_t>(Traffic::kMinutesKept + 9) * 60'000'000};
  EXPECT_EQ(traffic.minutes(now, 1'000'000).size(), Traffic::kMinutesKept);
  EXPECT_EQ(traffic.totals(now).requests, Traffic::kMinutesKept + 10);
}

TEST(Figures, a_batch_counts_each_request_and_one_execution) {
  VersionStatistics statistics(3);
  statistics.executed({.requests = 4, .rows = 6, .queue_ns = 40, .total_ns = 400, .times = {1, 2, 3}}, {5});
  statistics.failed(7);
  const VersionFigures figures = statistics.figures();
  EXPECT_EQ(figures.inference_count, 6u);
  EXPECT_EQ(figures.execution_count, 1u);
  EXPECT_EQ(figures.success.count, 4u);
  EXPECT_EQ(figures.infer.ns, 8u);
  ASSERT_EQ(figures.batches.size(), 1u);
  EXPECT_EQ(figures.batches[0].size, 6u);
  EXPECT_EQ(figures.batches[0].infer.count, 1u);
  EXPECT_EQ(figures.fail.count, 1u);
}

}  // namespace
}  // namespace slipway::serving

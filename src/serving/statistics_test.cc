#include "serving/statistics.h"

#include <gtest/gtest.h>

namespace slipway::serving {
namespace {

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

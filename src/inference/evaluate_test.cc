#include "inference/evaluate.h"

#include <gtest/gtest.h>

namespace slipway::inference {
namespace {

TEST(MeanIou, of_equal_masks_is_one) { EXPECT_DOUBLE_EQ(mean_iou({0, 1, 2, 1}, {0, 1, 2, 1}), 1); }

TEST(MeanIou, is_the_mean_over_the_classes_present) {
  // class 0: both 1, either 2; class 1: both 2, either 3
  EXPECT_DOUBLE_EQ(mean_iou({0, 1, 1, 1}, {0, 0, 1, 1}), (1.0 / 2 + 2.0 / 3) / 2);
}

TEST(MeanIou, leaves_out_ignored_pixels) { EXPECT_DOUBLE_EQ(mean_iou({0, 1}, {0, 255}), 1); }

TEST(MeanIou, of_nothing_is_one) { EXPECT_DOUBLE_EQ(mean_iou({}, {}), 1); }

TEST(EvaluationTask, that_is_unknown_is_named) {
  EXPECT_TRUE(parse_evaluation_task("segmentation").ok());
  const auto unknown = parse_evaluation_task("clasification");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("clasification"), std::string::npos);
}

}  // namespace
}  // namespace slipway::inference

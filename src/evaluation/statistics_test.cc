#include "evaluation/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace slipway::evaluation {
namespace {

// Reference values computed by hand from the published formulas.
TEST(Share, agrees_with_wilson_by_hand) {
  const Interval interval = share(8, 10);
  EXPECT_DOUBLE_EQ(interval.value, 0.8);
  EXPECT_NEAR(interval.low, 0.4902, 1e-4);
  EXPECT_NEAR(interval.high, 0.9433, 1e-4);
}

TEST(Share, stays_inside_zero_and_one) {
  EXPECT_DOUBLE_EQ(share(0, 5).low, 0);
  EXPECT_DOUBLE_EQ(share(5, 5).high, 1);
  EXPECT_LT(share(5, 5).low, 1);
}

TEST(Share, of_nothing_says_nothing) {
  const Interval interval = share(0, 0);
  EXPECT_EQ(interval.low, 0);
  EXPECT_EQ(interval.high, 1);
}

TEST(Share, covers_the_truth_about_as_often_as_it_says) {
  std::mt19937 random(1);
  std::binomial_distribution<int> draw(60, 0.9);
  int covered = 0;
  constexpr int kRounds = 4000;
  for (int i = 0; i < kRounds; ++i) {
    const Interval interval = share(draw(random), 60);
    covered += interval.low <= 0.9 && 0.9 <= interval.high;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kRounds, 0.95, 0.025);
}

TEST(Mean, agrees_with_students_t_by_hand) {
  const std::vector<double> values = {1, 2, 3, 4, 5};
  const Interval interval = mean(values);
  EXPECT_DOUBLE_EQ(interval.value, 3);
  EXPECT_NEAR(interval.high - interval.value, 2.7764 * std::sqrt(2.5 / 5), 1e-3);
}

TEST(Mean, of_one_value_has_no_end) {
  const std::vector<double> one = {0.5};
  EXPECT_TRUE(std::isinf(mean(one).low));
  EXPECT_TRUE(std::isinf(mean({}).high));
}

TEST(PairedShareDifference, of_equal_versions_contains_zero) {
  const Interval interval = paired_share_difference(5, 5, 1000);
  EXPECT_DOUBLE_EQ(interval.value, 0);
  EXPECT_LT(interval.low, 0);
  EXPECT_GT(interval.high, 0);
}

TEST(PairedShareDifference, covers_the_truth_about_as_often_as_it_says) {
  std::mt19937 random(2);
  std::discrete_distribution<int> draw({0.06, 0.03, 0.91});  // fixed, broken, unchanged
  int covered = 0;
  constexpr int kRounds = 4000, kSamples = 300;
  for (int round = 0; round < kRounds; ++round) {
    int counts[3] = {};
    for (int i = 0; i < kSamples; ++i) ++counts[draw(random)];
    const Interval interval = paired_share_difference(counts[0], counts[1], kSamples);
    covered += interval.low <= 0.03 && 0.03 <= interval.high;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kRounds, 0.95, 0.02);
}

TEST(PairedMeanDifference, is_narrower_than_the_spread_of_the_samples) {
  std::vector<double> left, right;
  for (int i = 0; i < 100; ++i) {
    left.push_back(i);
    right.push_back(i + 0.5 + (i % 2 ? 0.01 : -0.01));
  }
  const Interval interval = paired_mean_difference(left, right);
  EXPECT_NEAR(interval.value, 0.5, 1e-9);
  EXPECT_LT(interval.high - interval.low, 0.01);
}

TEST(Judge, says_what_the_interval_says) {
  EXPECT_EQ(judge({0.02, 0.01, 0.03, 500}, 0.005), Verdict::better);
  EXPECT_EQ(judge({-0.02, -0.03, -0.01, 500}, 0.005), Verdict::worse);
  EXPECT_EQ(judge({0.0, -0.004, 0.004, 50000}, 0.005), Verdict::same);
  EXPECT_EQ(judge({0.0, -0.1, 0.1, 20}, 0.005), Verdict::unclear);
  EXPECT_EQ(judge({0.0, -1, 1, 0}, 2), Verdict::unclear);
}

TEST(NoWorseThan, looks_at_the_lower_end) {
  EXPECT_TRUE(no_worse_than({0.0, -0.029, 0.02, 100}, 0.03));
  EXPECT_FALSE(no_worse_than({0.01, -0.031, 0.05, 100}, 0.03));
}

}  // namespace
}  // namespace slipway::evaluation

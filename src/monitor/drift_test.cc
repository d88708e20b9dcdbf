#include "monitor/drift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace slipway::monitor {
namespace {

std::vector<double> normal_values(int seed, size_t n, double mean) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::normal_distribution<double> draw(mean, 1);
  std::vector<double> values(n);
  for (double& v : values) v = draw(random);
  return values;
}

Histogram filled(Histogram histogram, const std::vector<double>& values) {
  for (double v : values) histogram.add(v);
  return histogram;
}

TEST(Bins, hold_about_equally_many_of_the_reference) {
  const auto values = normal_values(1, 10000, 0);
  const Histogram histogram = filled(bins_for(values), values);
  ASSERT_EQ(histogram.counts.size(), kDriftBins);
  for (std::int64_t count : histogram.counts) EXPECT_NEAR(static_cast<double>(count), 1000, 2);
}

TEST(Bins, of_few_distinct_values_are_few) {
  std::vector<double> values(900, 0.0);
  values.resize(1000, 1.0);
  const Histogram histogram = filled(bins_for(values), values);
  ASSERT_EQ(histogram.counts.size(), 2u);
  EXPECT_EQ(histogram.counts[0], 900);
  EXPECT_EQ(histogram.counts[1], 100);
}

TEST(Bins, of_one_constant_are_one_and_say_nothing) {
  const std::vector<double> values(500, 3.0);
  const Histogram histogram = filled(bins_for(values), values);
  EXPECT_EQ(judge_drift(histogram, histogram).state, DriftVerdict::State::too_few);
}

TEST(Bins, take_not_a_number_without_losing_it) {
  Histogram histogram = bins_for(normal_values(1, 100, 0));
  histogram.add(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(histogram.total(), 1);
}

TEST(Psi, agrees_with_the_formula_by_hand) {
  const Histogram reference{{0.5}, {50, 50}}, current{{0.5}, {80, 20}};
  const double p0 = 80.5 / 101, p1 = 20.5 / 101;
  EXPECT_NEAR(psi(reference, current), (p0 - 0.5) * std::log(p0 / 0.5) + (p1 - 0.5) * std::log(p1 / 0.5), 1e-12);
  EXPECT_DOUBLE_EQ(psi(reference, reference), 0);
}

TEST(Ks, is_the_largest_distance_of_the_cumulative_shares) {
  const Histogram reference{{1, 2}, {10, 10, 80}}, current{{1, 2}, {50, 10, 40}};
  EXPECT_NEAR(ks(reference, current), 0.4, 1e-12);
}

TEST(JudgeDrift, sees_a_shift_of_half_a_deviation) {
  const auto before = normal_values(1, 2000, 0);
  const Histogram empty = bins_for(before);
  EXPECT_EQ(judge_drift(filled(empty, before), filled(empty, normal_values(2, 500, 0.6))).state, DriftVerdict::State::drifted);
}

TEST(JudgeDrift, waits_for_enough_samples) {
  const auto before = normal_values(1, 2000, 0);
  const Histogram empty = bins_for(before);
  EXPECT_EQ(judge_drift(filled(empty, before), filled(empty, normal_values(2, 99, 5))).state, DriftVerdict::State::too_few);
}

TEST(JudgeDrift, rarely_cries_over_equal_populations) {
  int alarms = 0;
  for (int round = 0; round < 500; ++round) {
    const auto before = normal_values(round, 150, 0);
    const Histogram empty = bins_for(before);
    alarms += judge_drift(filled(empty, before), filled(empty, normal_values(10000 + round, 100, 0))).state == DriftVerdict::State::drifted;
  }
  EXPECT_LE(alarms, 5);
}

TEST(Histogram, is_read_back_as_it_was_rendered) {
  const auto values = normal_values(3, 300, 0);
  const Histogram histogram = filled(bins_for(values), values);
  const auto parsed = parse_histogram(render(histogram));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, histogram);
}

TEST(Histogram, with_counts_that_do_not_fit_is_refused) {
  EXPECT_FALSE(parse_histogram(*Json::parse(R"({"edges":[1,2],"counts":[1,2]})")).ok());
  EXPECT_FALSE(parse_histogram(*Json::parse(R"({"edges":[2,1],"counts":[1,2,3]})")).ok());
  EXPECT_FALSE(parse_histogram(*Json::parse(R"({"edges":[1],"counts":[1,-2]})")).ok());
  EXPECT_FALSE(parse_histogram(*Json::parse(R"([1])")).ok());
}

}  // namespace
}  // namespace slipway::monitor

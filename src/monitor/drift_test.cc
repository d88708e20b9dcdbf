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

TEST(Bins, of_one_constant_are_below_the_same_and_above) {
  const std::vector<double> values(500, 3.0);
  const Histogram empty = bins_for(values);
  EXPECT_EQ(filled(empty, values).counts, (std::vector<std::int64_t>{0, 500, 0}));
  EXPECT_EQ(judge_drift(filled(empty, values), filled(empty, values)).state, DriftVerdict::State::steady);
  EXPECT_EQ(judge_drift(filled(empty, values), filled(empty, std::vector<double>(200, 3.0 + 1e-9))).state,
            DriftVerdict::State::steady);
  EXPECT_EQ(judge_drift(filled(empty, values), filled(empty, std::vector<double>(200, 3.1))).state,
            DriftVerdict::State::drifted);
}

TEST(Bins, of_nothing_and_of_nothing_finite_are_one_of_which_nothing_is_said) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  for (const std::vector<double>& values :
       {std::vector<double>(), std::vector<double>(300, nan), std::vector<double>(300, infinite)}) {
    const Histogram histogram = filled(bins_for(values), values);
    ASSERT_EQ(histogram.counts.size(), 1u);
    const DriftVerdict verdict = judge_drift(histogram, histogram);
    EXPECT_EQ(verdict.state, DriftVerdict::State::too_few);
    EXPECT_EQ(psi(histogram, histogram), 0);
    EXPECT_EQ(ks(histogram, histogram), 0);
  }
}

TEST(Bins, have_finite_edges_whatever_the_reference_holds) {
  auto values = normal_values(1, 500, 0);
  values.insert(values.end(), 300, std::numeric_limits<double>::infinity());
  for (double edge : bins_for(values).edges) EXPECT_TRUE(std::isfinite(edge));
}

TEST(Bins, of_classes_have_one_for_those_the_reference_never_had) {
  const Histogram reference = filled(bins_for_classes(3), std::vector<double>(300, 1));
  const Histogram current = filled(bins_for_classes(3), std::vector<double>(300, 7));
  EXPECT_EQ(reference.counts, (std::vector<std::int64_t>{0, 300, 0, 0}));
  EXPECT_EQ(current.counts, (std::vector<std::int64_t>{0, 0, 0, 300}));
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
  EXPECT_EQ(judge_drift(filled(empty, before), filled(empty, normal_values(2, 500, 0.6))).state,
            DriftVerdict::State::drifted);
}

TEST(JudgeDrift, waits_for_enough_samples) {
  const auto before = normal_values(1, 2000, 0);
  const Histogram empty = bins_for(before);
  EXPECT_EQ(judge_drift(filled(empty, before), filled(empty, normal_values(2, 99, 5))).state,
            DriftVerdict::State::too_few);
}

TEST(JudgeDrift, goes_by_the_limits_it_is_given) {
  const auto before = normal_values(1, 2000, 0);
  const Histogram reference = filled(bins_for(before), before),
                  current = filled(bins_for(before), normal_values(2, 150, 0.6));
  EXPECT_EQ(judge_drift(reference, current).state, DriftVerdict::State::drifted);
  EXPECT_EQ(judge_drift(reference, current, {.psi_min = 5}).state, DriftVerdict::State::steady);
  EXPECT_EQ(judge_drift(reference, current, {.samples_min = 200}).state, DriftVerdict::State::too_few);
}

TEST(JudgeDrift, says_nothing_of_an_empty_side) {
  const auto before = normal_values(1, 2000, 0);
  const Histogram empty = bins_for(before);
  EXPECT_EQ(judge_drift(filled(empty, before), empty).state, DriftVerdict::State::too_few);
  EXPECT_EQ(judge_drift(empty, filled(empty, before)).state, DriftVerdict::State::too_few);
}

TEST(JudgeDrift, rarely_cries_over_equal_populations) {
  int alarms = 0;
  for (int round = 0; round < 500; ++round) {
    const auto before = normal_values(round, 150, 0);
    const Histogram empty = bins_for(before);
    alarms += judge_drift(filled(empty, before), filled(empty, normal_values(10000 + round, 100, 0))).state ==
              DriftVerdict::State::drifted;
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

#include "tracking/thinning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace slipway::tracking {
namespace {

std::vector<Point> regular(int count) {
  std::vector<Point> points;
  for (int i = 0; i < count; ++i) points.push_back({1, i, i, 0.0});
  return points;
}

double highest(const ThinnedSeries& series) { return *std::max_element(series.high.begin(), series.high.end()); }
double lowest(const ThinnedSeries& series) { return *std::min_element(series.low.begin(), series.low.end()); }

TEST(Thinning, extremes_survive_and_the_last_point_is_there) {
  auto points = regular(1000);
  points[333].value = 50;
  points[666].value = -50;
  const ThinnedSeries series = thin(points, XAxis::step, 10);
  EXPECT_TRUE(series.thinned);
  EXPECT_EQ(series.points, 1000);
  EXPECT_LE(series.values.size(), 10u);
  EXPECT_EQ(series.steps.back(), 999);
  EXPECT_EQ(highest(series), 50);
  EXPECT_EQ(lowest(series), -50);
}

TEST(Thinning, what_fits_is_left_as_it_is) {
  const auto points = regular(1000);
  const ThinnedSeries series = thin(points, XAxis::step, 1000);
  EXPECT_FALSE(series.thinned);
  EXPECT_EQ(series.steps.size(), 1000u);
  EXPECT_TRUE(series.low.empty());
  EXPECT_TRUE(thin({}, XAxis::step, 10).values.empty());
}

TEST(Thinning, no_bucket_is_wider_than_a_column_of_pixels) {
  // Many points at the left, few at the right: those are told apart all the same.
  auto points = regular(10'000);
  for (int i = 0; i < 60; ++i) points.push_back({1, 10'000 + i * 2'000, i, 1.0 * i});
  const ThinnedSeries series = thin(points, XAxis::step, 200);
  EXPECT_LE(series.steps.size(), 200u);
  for (int i = 0; i < 60; ++i)
    EXPECT_EQ(std::count(series.steps.begin(), series.steps.end(), 10'000 + i * 2'000), 1) << i;
}

TEST(Thinning, a_gap_takes_no_room_from_what_is_beside_it) {
  auto points = regular(10'000);
  points.push_back({1, 1'000'000'000'000, 0, 7});
  const ThinnedSeries series = thin(points, XAxis::step, 200);
  EXPECT_GE(series.steps.size(), 100u);
  EXPECT_EQ(series.values.back(), 7);
}

TEST(Thinning, every_size_keeps_its_limit_and_every_extreme) {
  for (int count : {3, 4, 5, 7, 10, 101, 1000, 4096}) {
    for (size_t most : {1u, 2u, 3u, 7u, 10u, 99u, 100u}) {
      auto points = regular(count);
      for (int i = 0; i < count; ++i) points[static_cast<size_t>(i)].value = (i * 7919) % 1009;
      const ThinnedSeries series = thin(points, XAxis::step, most);
      if (!series.thinned) continue;
      EXPECT_LE(series.steps.size(), std::max<size_t>(most, 2)) << count << " " << most;
      const auto [low, high] = std::minmax_element(points.begin(), points.end(),
                                                   [](const Point& a, const Point& b) { return a.value < b.value; });
      EXPECT_EQ(lowest(series), low->value);
      EXPECT_EQ(highest(series), high->value);
    }
  }
}

TEST(Thinning, steps_of_both_ends_of_the_integers_are_thinned) {
  std::vector<Point> points;
  points.push_back({1, std::numeric_limits<std::int64_t>::min(), 0, 1});
  for (int i = 0; i < 100; ++i) points.push_back({1, i, i, 2});
  points.push_back({1, std::numeric_limits<std::int64_t>::max(), 100, 3});
  const ThinnedSeries series = thin(points, XAxis::step, 10);
  EXPECT_LE(series.steps.size(), 10u);
  EXPECT_EQ(series.values.front(), 1);
  EXPECT_EQ(series.values.back(), 3);
}

TEST(Thinning, points_at_one_moment_are_thinned_by_their_number) {
  auto points = regular(1000);
  for (Point& point : points) point.at_ms = 5;
  const ThinnedSeries series = thin(points, XAxis::time, 10);
  EXPECT_EQ(series.steps.size(), 5u);
}

}  // namespace
}  // namespace slipway::tracking

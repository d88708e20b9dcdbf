#include "tracking/metric_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace slipway::tracking {
namespace {

bool equal(const std::vector<Point>& a, const std::vector<Point>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same_point);
}

std::vector<Point> odd_points() {
  const auto low = std::numeric_limits<std::int64_t>::min(), high = std::numeric_limits<std::int64_t>::max();
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  return {{0, 0, 0, 0.0},
          {1, low, high, nan},
          {1, high, low, inf},
          {1, -1, 5, -inf},
          {2, 3, 1700000000000, 1e-310},
          {4294967295u, 1, 1, 1},
          {7, 0, -5, std::numeric_limits<double>::max()}};
}

std::vector<Point> training(size_t metrics, size_t steps) {
  std::mt19937 random(7);
  std::vector<Point> points;
  for (size_t step = 0; step < steps; ++step) {
    for (size_t m = 0; m < metrics; ++m) {
      points.push_back({static_cast<MetricNumber>(m + 1), static_cast<std::int64_t>(step),
                        static_cast<std::int64_t>(1'700'000'000'000 + step * 100 + random() % 7),
                        std::generate_canonical<double, 53>(random)});
    }
  }
  return points;
}

TEST(MetricCodec, a_batch_keeps_its_points_in_the_order_they_came) {
  for (const auto& points : {odd_points(), training(10, 50), std::vector<Point>{}}) {
    std::vector<Point> back;
    ASSERT_TRUE(parse_batch(render_batch(points), back).ok());
    EXPECT_TRUE(equal(points, back));
  }
}

TEST(MetricCodec, a_segment_gives_all_its_points_or_one_series) {
  auto points = training(20, 30);
  std::sort(points.begin(), points.end(), point_less);
  const std::string bytes = render_segment(points);
  std::vector<Point> all, one;
  ASSERT_TRUE(parse_segment(bytes, all).ok());
  EXPECT_TRUE(equal(points, all));
  ASSERT_TRUE(parse_segment_series(bytes, 5, one).ok());
  ASSERT_EQ(one.size(), 30u);
  EXPECT_EQ(one[29].metric, 5u);
  one.clear();
  ASSERT_TRUE(parse_segment_series(bytes, 99, one).ok());
  EXPECT_TRUE(one.empty());
}

TEST(MetricCodec, odd_points_survive_a_segment) {
  auto points = odd_points(), back = std::vector<Point>{};
  std::sort(points.begin(), points.end(), point_less);
  ASSERT_TRUE(parse_segment(render_segment(points), back).ok());
  EXPECT_TRUE(equal(points, back));
}

TEST(MetricCodec, random_values_take_at_most_ten_bytes_and_slow_ones_two) {
  auto points = training(1, 10'000);
  EXPECT_LE(render_series(points, true).size(), 10 * points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].at_ms = 1'700'000'000'000 + static_cast<std::int64_t>(i) * 100;
    points[i].value = static_cast<double>(i / 100);
  }
  EXPECT_LE(render_series(points, true).size(), 2 * points.size());
}

TEST(MetricCodec, summaries_keep_every_number) {
  std::vector<SeriesSummary> summaries, back;
  for (const Point& point : odd_points()) {
    SeriesSummary summary = no_summary(point.metric);
    add_points(summary, std::span(&point, 1));
    summaries.push_back(summary);
  }
  summaries.push_back(no_summary(9));
  ASSERT_TRUE(parse_summaries(render_summaries(summaries), back).ok());
  ASSERT_EQ(back.size(), summaries.size());
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_TRUE(same_point(back[i].latest, summaries[i].latest));
    EXPECT_EQ(back[i].points, summaries[i].points);
    EXPECT_EQ(back[i].total, summaries[i].total);
    EXPECT_EQ(std::isnan(back[i].low), std::isnan(summaries[i].low));
  }
  EXPECT_TRUE(parse_summaries(render_summaries({}), back).ok());
}

TEST(MetricCodec, the_latest_points_of_some_metrics_can_be_read_alone) {
  std::vector<SeriesSummary> summaries;
  for (MetricNumber metric = 0; metric < 10; ++metric) {
    const Point point{metric * 7, metric - 5, 1'700'000'000'000 + metric, metric == 3 ? std::nan("") : metric / 3.0};
    summaries.push_back(no_summary(point.metric));
    add_points(summaries.back(), std::span(&point, 1));
  }
  const std::string bytes = render_summaries(summaries);
  const std::vector<MetricNumber> wanted{63, 8, 0, 21};
  std::vector<Point> found;
  ASSERT_TRUE(parse_summaries_latest(bytes, wanted, found).ok());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_TRUE(same_point(found[0], summaries[0].latest));
  EXPECT_TRUE(same_point(found[1], summaries[3].latest));
  EXPECT_TRUE(same_point(found[2], summaries[9].latest));
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_FALSE(parse_summaries_latest(bytes.substr(0, cut), wanted, found).ok()) << cut;
  EXPECT_EQ(found.size(), 3u);
}

TEST(MetricCodec, every_cut_and_every_flipped_byte_is_refused_or_harmless) {
  auto points = training(3, 40);
  std::sort(points.begin(), points.end(), point_less);
  for (const std::string& bytes : {render_batch(points), render_segment(points)}) {
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      std::vector<Point> out;
      EXPECT_FALSE(parse_batch(bytes.substr(0, cut), out).ok() && parse_segment(bytes.substr(0, cut), out).ok()) << cut;
    }
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0x5a);
      std::vector<Point> out;
      (void)parse_batch(changed, out);
      (void)parse_segment(changed, out);
    }
  }
}

}  // namespace
}  // namespace slipway::tracking

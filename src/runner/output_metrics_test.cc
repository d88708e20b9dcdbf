#include "runner/output_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::runner {
namespace {

std::string shown(const std::vector<MetricPoint>& points) {
  std::string out;
  for (const MetricPoint& point : points)
    out += point.key + "=" + std::to_string(point.value).substr(0, 4) + "@" + std::to_string(point.step) + " ";
  return out;
}

TEST(OutputMetrics, a_line_of_numbers_is_a_point_for_each) {
  OutputMetrics metrics;
  EXPECT_EQ(shown(metrics.feed("{\"step\": 3, \"loss\": 0.25, \"val/acc\": 1}\n", 7)), "loss=0.25@3 val/acc=1.00@3 ");
  EXPECT_EQ(metrics.feed("{\"a\": 1}\n", 7).at(0).at_ms, 7);
  EXPECT_TRUE(std::isnan(metrics.feed("{\"a\": \"NaN\"}\n", 7).at(0).value));
  EXPECT_TRUE(std::isinf(metrics.feed("{\"a\": -Infinity}\n", 7).at(0).value));
}

TEST(OutputMetrics, without_a_step_each_metric_counts_on_from_its_last) {
  OutputMetrics metrics;
  EXPECT_EQ(shown(metrics.feed("{\"a\": 1}\n{\"a\": 2}\n{\"b\": 3}\n{\"step\": 10, \"a\": 4}\n{\"a\": 5}\n", 0)),
            "a=1.00@0 a=2.00@1 b=3.00@0 a=4.00@10 a=5.00@11 ");
}

TEST(OutputMetrics, a_line_may_come_in_any_pieces) {
  const std::string line = "text\n  {\"step\": 1, \"a\": 2.5}\r\nmore {\"b\": 1}\n";
  for (size_t cut = 0; cut <= line.size(); ++cut) {
    OutputMetrics metrics;
    std::string found = shown(metrics.feed(line.substr(0, cut), 0));
    found += shown(metrics.feed(line.substr(cut), 0));
    EXPECT_EQ(found, "a=2.50@1 ") << cut;
  }
}

TEST(OutputMetrics, what_is_no_object_of_numbers_is_text) {
  OutputMetrics metrics;
  for (const char* line : {"loss 0.5", "{\"a\": \"b\"}", "{\"a\": 1, \"b\": \"x\"}", "{\"a\": [1]}", "{\"a\": null}",
                           "{\"step\": 1.5, \"a\": 1}", "{\"step\": -1, \"a\": 1}", "[1, 2]", "{\"a\": 1} and more",
                           "{\"a\": true}", "{\"\": 1}", "{", "}", "{}", ""}) {
    EXPECT_EQ(shown(metrics.feed(std::string(line) + "\n", 0)), "") << line;
  }
}

TEST(OutputMetrics, a_line_without_an_end_counts_at_the_end) {
  OutputMetrics metrics;
  EXPECT_EQ(shown(metrics.feed("{\"a\": 1}", 0)), "");
  EXPECT_EQ(shown(metrics.finish(0)), "a=1.00@0 ");
  EXPECT_EQ(shown(metrics.finish(0)), "");
}

TEST(OutputMetrics, an_endless_line_is_not_kept) {
  OutputMetrics metrics;
  const std::string piece(kMetricLineBytesMax, ' ');
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shown(metrics.feed("{" + piece, 0)), "");
  EXPECT_EQ(shown(metrics.feed("\n{\"a\": 1}\n", 0)), "a=1.00@0 ");
}

TEST(OutputMetrics, a_program_cannot_make_keys_without_end) {
  OutputMetrics metrics;
  size_t points = 0;
  for (size_t i = 0; i < kOutputMetricKeysMax + 100; ++i)
    points += metrics.feed("{\"k" + std::to_string(i) + "\": 1}\n", 0).size();
  EXPECT_EQ(points, kOutputMetricKeysMax);
  EXPECT_EQ(metrics.feed("{\"k0\": 2}\n", 0).size(), 1u);
}

}  // namespace
}  // namespace slipway::runner

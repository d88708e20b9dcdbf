// Metrics that a program prints: a line of its output that is a JSON object of numbers, so that a program in any
// language can log without a library.
//
//     {"step": 3, "loss": 0.25, "val/acc": 0.91}
//
// Every member but `step` is a metric; its value is a number, or the text NaN, Infinity or -Infinity. `step` is a whole
// number; without it the steps of each metric count from 0. The line stays in the log as it is.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runner/link.h"

namespace slipway::runner {

/// A step that sets it to "off" leaves its output alone.
inline constexpr const char* kOutputMetricsVariable = "SLIPWAY_OUTPUT_METRICS";

inline constexpr size_t kMetricLineBytesMax = 64 << 10;  // a longer line is text
inline constexpr size_t kOutputMetricKeysMax = 10'000;   // of one attempt; further keys are not metrics
inline constexpr size_t kMetricKeyBytesMax = 250;

/// One thread. Bytes come as the command writes them, cut anywhere.
class OutputMetrics {
 public:
  /// The points of all lines that these bytes end.
  std::vector<MetricPoint> feed(std::string_view bytes, std::int64_t now_ms);
  /// Of the last line, when it has no end.
  std::vector<MetricPoint> finish(std::int64_t now_ms);

 private:
  void take_line(std::string_view line, std::int64_t now_ms, std::vector<MetricPoint>& points);

  std::string line_;      // what came of the line that has not ended
  bool is_text_ = false;  // it cannot be a metric any more
  std::map<std::string, std::int64_t> next_steps_;
};

}  // namespace slipway::runner

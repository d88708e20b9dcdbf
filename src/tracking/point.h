// A metric point, as the engine sees it: the metric by its number, the run known from the context.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace slipway::tracking {

/// The number of a metric's name within its database (table metric_names).
using MetricNumber = std::uint32_t;

struct Point {
  MetricNumber metric = 0;
  std::int64_t step = 0;
  std::int64_t at_ms = 0;  // as the client says, milliseconds since 1970
  double value = 0;
};

/// A total order on doubles: NaN below everything, one NaN as good as another, -0 equal to 0.
inline bool value_less(double a, double b) {
  if (std::isnan(a)) return !std::isnan(b);
  return a < b;
}

/// By metric, then step, time, value. So the last point of a series is its latest, as MLflow defines it.
inline bool point_less(const Point& a, const Point& b) {
  if (a.metric != b.metric) return a.metric < b.metric;
  if (a.step != b.step) return a.step < b.step;
  if (a.at_ms != b.at_ms) return a.at_ms < b.at_ms;
  return value_less(a.value, b.value);
}
inline bool same_point(const Point& a, const Point& b) { return !point_less(a, b) && !point_less(b, a); }

}  // namespace slipway::tracking

#include "tracking/thinning.h"

#include <algorithm>

#include "tracking/metric_summaries.h"

namespace slipway::tracking {
namespace {

std::int64_t x_of(const Point& point, XAxis x) { return x == XAxis::step ? point.step : point.at_ms; }

/// Where buckets end: after every part of the x axis and after every part of the points, whichever comes first.
class Edges {
 public:
  Edges(std::span<const Point> points, XAxis x, size_t parts)
      : points_(points), x_(x), parts_(parts), first_(unsigned_x(points.front())) {
    width_ = unsigned_x(points.back()) - first_ + 1;  // 0 when the x axis is all of the integers
  }

  /// The end of the bucket that begins at `from`.
  size_t end_after(size_t from) const {
    size_t next_part = from * parts_ / points_.size() + 1;
    if (next_part * points_.size() / parts_ == from) ++next_part;
    const size_t most = next_part * points_.size() / parts_;
    const auto part = column(points_[from]);
    const auto found = std::partition_point(points_.begin() + static_cast<std::ptrdiff_t>(from),
                                            points_.begin() + static_cast<std::ptrdiff_t>(most),
                                            [&](const Point& point) { return column(point) == part; });
    return static_cast<size_t>(found - points_.begin());
  }

 private:
  std::uint64_t unsigned_x(const Point& point) const { return static_cast<std::uint64_t>(x_of(point, x_)); }
  std::uint64_t column(const Point& point) const {
    __extension__ using Wide = unsigned __int128;
    const Wide width = width_ == 0 ? Wide{1} << 64 : Wide{width_};
    return static_cast<std::uint64_t>(Wide{unsigned_x(point) - first_} * parts_ / width);
  }

  std::span<const Point> points_;
  XAxis x_;
  size_t parts_;
  std::uint64_t first_, width_ = 0;
};

void add_bucket(ThinnedSeries& out, std::span<const Point> bucket) {
  const Point& last = bucket.back();
  out.steps.push_back(last.step);
  out.at_ms.push_back(last.at_ms);
  out.values.push_back(last.value);
  if (!out.thinned) return;
  SeriesSummary extremes = no_summary(0);
  add_points(extremes, bucket);
  out.low.push_back(extremes.low);
  out.high.push_back(extremes.high);
}

}  // namespace

ThinnedSeries thin(std::span<const Point> points, XAxis x, size_t buckets_max) {
  ThinnedSeries out;
  out.points = static_cast<std::int64_t>(points.size());
  out.thinned = points.size() > std::max<size_t>(buckets_max, 2);
  const size_t expected = out.thinned ? buckets_max : points.size();
  for (auto* column : {&out.steps, &out.at_ms}) column->reserve(expected);
  out.values.reserve(expected);
  if (!out.thinned) {
    for (size_t i = 0; i < points.size(); ++i) add_bucket(out, points.subspan(i, 1));
    return out;
  }
  const Edges edges(points, x, std::max<size_t>(buckets_max / 2, 1));
  for (size_t from = 0; from < points.size();) {
    const size_t to = edges.end_after(from);
    add_bucket(out, points.subspan(from, to - from));
    from = to;
  }
  return out;
}

}  // namespace slipway::tracking

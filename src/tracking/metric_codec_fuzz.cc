// Stored points: any bytes are refused or taken, and what was taken renders to bytes that mean the same.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "tracking/metric_codec.h"

using slipway::tracking::Point;
using slipway::tracking::SeriesSummary;

namespace {

bool equal(const std::vector<Point>& a, const std::vector<Point>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), slipway::tracking::same_point);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<Point> points, again;
  if (slipway::tracking::parse_batch(bytes, points).ok()) {
    CHECK(slipway::tracking::parse_batch(slipway::tracking::render_batch(points), again).ok(),
          "a rendered batch does not parse");
    CHECK(equal(points, again), "a batch changed on its way through render and parse");
  }
  points.clear();
  again.clear();
  if (slipway::tracking::parse_segment(bytes, points).ok()) {
    std::sort(points.begin(), points.end(), slipway::tracking::point_less);
    CHECK(slipway::tracking::parse_segment(slipway::tracking::render_segment(points), again).ok(),
          "a rendered segment does not parse");
    CHECK(equal(points, again), "a segment changed on its way through render and parse");
  }
  std::vector<SeriesSummary> summaries, summaries_again;
  if (slipway::tracking::parse_summaries(bytes, summaries).ok()) {
    const std::string rendered = slipway::tracking::render_summaries(summaries);
    CHECK(slipway::tracking::parse_summaries(rendered, summaries_again).ok(), "rendered summaries do not parse");
    CHECK(slipway::tracking::render_summaries(summaries_again) == rendered,
          "summaries changed on their way through render and parse");
    points.clear();
    again.clear();
    for (const SeriesSummary& summary : summaries) {
      if (summary.latest.metric == summaries[0].latest.metric) again.push_back(summary.latest);
    }
    const std::vector<slipway::tracking::MetricNumber> wanted(summaries.empty() ? 0 : 1,
                                                              again.empty() ? 0 : again[0].metric);
    CHECK(slipway::tracking::parse_summaries_latest(bytes, wanted, points).ok() && equal(points, again),
          "the latest points of one metric read alone are others");
  }
  points.clear();
  (void)slipway::tracking::parse_series(bytes, 7, points);
  return 0;
}

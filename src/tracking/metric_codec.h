// How metric points lie in the database: four formats, each with a version byte, each parse the inverse of its render.
//
//   batch    what one request brought, in the order it came. Columns: metric numbers, steps, times as differences in
//            variable-length integers, values raw. Written on the hot path, so nothing clever: about 12 bytes a point.
//   segment  points of one run, sorted: a directory of its series, then each series. One metric can be read alone.
//   series   sorted points of one metric: steps and times as differences of differences, values XOR their predecessor,
//            byte planes apart, the whole by zstd where that pays. Regular steps and times cost nothing per point.
//   summaries  what is known of several series of one run, sorted by metric, on its way into metric_latest.
//
// Integers wrap around, so every step and time survives. Parsers take any bytes: data_loss for what no render wrote.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tracking/metric_summaries.h"
#include "tracking/point.h"

namespace slipway::tracking {

inline constexpr size_t kBatchPointsMax = 1 << 20;
inline constexpr size_t kSegmentPointsMax = 1 << 24;
inline constexpr size_t kSeriesPointsMax = 1 << 20;

std::string render_batch(std::span<const Point> points);
/// Appends to `out`.
Result<void> parse_batch(std::string_view bytes, std::vector<Point>& out);

/// `points` are sorted by point_less.
std::string render_segment(std::span<const Point> points);
Result<void> parse_segment(std::string_view bytes, std::vector<Point>& out);
/// Only one metric's points; nothing when it has none here.
Result<void> parse_segment_series(std::string_view bytes, MetricNumber metric, std::vector<Point>& out);

/// `points` are sorted and of one metric. A `compact` one is tried with zstd.
std::string render_series(std::span<const Point> points, bool compact);
Result<void> parse_series(std::string_view bytes, MetricNumber metric, std::vector<Point>& out);

std::string render_summaries(std::span<const SeriesSummary> summaries);
/// Appends to `out`.
Result<void> parse_summaries(std::string_view bytes, std::vector<SeriesSummary>& out);
/// Only the latest points, and only of these metrics.
Result<void> parse_summaries_latest(std::string_view bytes, std::span<const MetricNumber> metrics,
                                    std::vector<Point>& out);

}  // namespace slipway::tracking

// Making a history short enough for a screen without losing what a person would see.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tracking/point.h"

namespace slipway::tracking {

enum class XAxis { step, time };

/// A history made short. Each bucket of neighbouring points keeps its last point, and its smallest and largest value.
struct ThinnedSeries {
  std::string key;
  std::int64_t points = 0;  // before thinning
  bool thinned = false;
  std::vector<std::int64_t> steps, at_ms;
  std::vector<double> values;
  std::vector<double> low, high;  // empty unless thinned
  std::int64_t attempt = 0;       // of an abandoned tail: who logged it
  /// What attempts of the run logged and a later one logged again (resumes.h); by attempt.
  std::vector<ThinnedSeries> abandoned;
};

/// Pure: `points` are sorted by the x axis. At most `buckets_max` buckets (two at least), none of them wider than two
/// of `buckets_max` equal parts of the x axis, none with more points than two of `buckets_max` equal parts of them: so
/// a screen of half as many pixel columns loses no extreme of any column, and a gap takes no room from what is beside
/// it.
ThinnedSeries thin(std::span<const Point> points, XAxis x, size_t buckets_max);

}  // namespace slipway::tracking

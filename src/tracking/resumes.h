// Runs that go on after they were over or lost, and what that makes of points that are logged again.
//
// A run has one attempt more than it has resumes. A point belongs to the attempt in which its own time lies: the first
// one ends where the first resume is, and so on. When a later attempt logs a series again from some step on, the points
// that earlier attempts logged from that step on are abandoned: they were made by work that was lost and done again.
// Plots show the series without them, and them beside it. They stay in the database, and MLflow's clients get all
// points, as from MLflow's own server.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/ids.h"
#include "tracking/point.h"

namespace slipway::tracking {

/// Resumes of one run that are looked at, the last ones.
inline constexpr std::int64_t kResumesMax = 1'000;

/// Inside somebody's transaction: the run goes on now. Nothing for a run that does not exist.
Result<void> note_resume(catalog::Connection& connection, const RunId& run, Time now);
/// When it went on, in milliseconds as points have them, the earliest first.
Result<std::vector<std::int64_t>> read_resumes(catalog::Connection& connection, std::int64_t run);

struct ResumedSeries {
  std::vector<Point> points;  // what counts
  struct Tail {
    std::int64_t attempt = 0;  // that logged it, counted from 1
    std::vector<Point> points;
  };
  std::vector<Tail> abandoned;  // by attempt
};

/// Pure. `points` are of one metric, sorted by step; every part of the result is, too.
ResumedSeries split_abandoned(std::vector<Point> points, std::span<const std::int64_t> resumes_ms);

}  // namespace slipway::tracking

#include "tracking/resumes.h"

#include <algorithm>
#include <limits>
#include <map>

namespace slipway::tracking {

using catalog::Connection;
using catalog::Row;

Result<void> note_resume(Connection& connection, const RunId& run, Time now) {
  TRY(connection.run(
      "INSERT INTO run_resumes (run, at) SELECT number, CAST(? AS BIGINT) FROM runs r WHERE r.id = ? ON CONFLICT (run, at) DO NOTHING",
      {now.micros, run.text}));
  return {};
}

Result<std::vector<std::int64_t>> read_resumes(Connection& connection, std::int64_t run) {
  auto times = TRY(connection.rows("SELECT at FROM run_resumes WHERE run = ? ORDER BY at DESC LIMIT ?",
                                   {run, kResumesMax}, [](const Row& row) { return Time{row.integer(0)}.millis(); }));
  std::reverse(times.begin(), times.end());
  return times;
}

ResumedSeries split_abandoned(std::vector<Point> points, std::span<const std::int64_t> resumes_ms) {
  ResumedSeries out;
  if (resumes_ms.empty()) {
    out.points = std::move(points);
    return out;
  }
  // A point at the very moment of a resume is of what follows.
  const auto attempt_of = [&](const Point& point) {
    return static_cast<size_t>(std::upper_bound(resumes_ms.begin(), resumes_ms.end(), point.at_ms) -
                               resumes_ms.begin());
  };
  // From which step on what an attempt logged is abandoned: where the first of the later ones began.
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> first(resumes_ms.size() + 2, kNever);
  for (const Point& point : points) {
    std::int64_t& step = first[attempt_of(point)];
    step = std::min(step, point.step);
  }
  for (size_t attempt = resumes_ms.size() + 1; attempt-- > 0;)
    first[attempt] = std::min(first[attempt], first[attempt + 1]);
  std::map<size_t, std::vector<Point>> tails;
  for (const Point& point : points) {
    const size_t attempt = attempt_of(point);
    const std::int64_t cut = first[attempt + 1];
    const bool is_abandoned = cut != kNever && point.step >= cut;
    (is_abandoned ? tails[attempt] : out.points).push_back(point);
  }
  for (auto& [attempt, tail] : tails)
    out.abandoned.push_back({static_cast<std::int64_t>(attempt) + 1, std::move(tail)});
  return out;
}

}  // namespace slipway::tracking

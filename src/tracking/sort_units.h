// What one pass of the sorter does, without its thread: batches of a snapshot become units of work, and units become
// writes. Private to the room.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "tracking/metric_sorter.h"
#include "tracking/search_sql.h"
#include "tracking/staged_summaries.h"

namespace slipway::tracking {

struct Segment {
  std::int64_t id = 0, level = 0, points = 0;
};

struct Chunk {
  MetricNumber metric = 0;
  std::int64_t points = 0, step_min = 0, step_max = 0;
  std::string body;
};

/// What one write does to one run.
struct Unit {
  std::int64_t run = 0, experiment = 0;
  std::vector<std::int64_t> batches;     // consumed
  std::vector<Point> points;             // theirs, sorted, without those that were there before
  std::vector<SeriesSummary> summaries;  // of the series touched, as they will be
  std::vector<SeriesSummary> staged;     // those and what was staged of the run before
  std::vector<Segment> merged;           // segments that go away
  std::int64_t level = 0;                // of the new segment
  std::string segment;                   // empty for none
  std::int64_t segment_points = 0;
  std::vector<Chunk> chunks;
};

struct Snapshot {
  std::int64_t version = 0;
  std::vector<Unit> units;
  bool more = false;          // some of a run's batches were left
  std::int64_t next_run = 0;  // where the next pass begins; 0 when this one saw the end
};

/// Takes batches up to the limits of a pass, beginning with run `first`, and works out one unit per run.
Result<Snapshot> prepare(catalog::Connection& connection, const SorterOptions& options, std::int64_t first,
                         const std::vector<std::int64_t>& experiments);

/// How many of these units go into one write: at least one, and few enough to hold up other writers only shortly.
size_t group_size(std::span<const Unit> units);

/// Stores what several units worked out. cancelled when the version is not that of their snapshot any more.
Result<void> apply(catalog::Connection& connection, std::span<const Unit> units, std::int64_t version);

/// Moves the sorter's version on; cancelled when it is not this one any more.
Result<void> move_version(catalog::Connection& connection, std::int64_t version);
Result<std::int64_t> read_version(catalog::Connection& connection);

/// " AND r.experiment IN (?, …)", or nothing for all of them.
Sql in_experiments(const std::vector<std::int64_t>& experiments);

}  // namespace slipway::tracking

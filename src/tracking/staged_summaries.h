// Summaries between the sorter and metric_latest.
//
// An entry of that table's ordered index lies on a page of its own among all runs that have the metric, so that every
// pair that changes costs a page, read and written twice. So the sorter leaves the new summaries of a run in one row of
// metric_staged, which counts instead of the table, and carries many runs' over together, sorted as the index is: pairs
// that are neighbours there share their page, and a series that changed ten times meanwhile is carried over once.
// Private to the room.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "tracking/metric_summaries.h"

namespace slipway::tracking {

/// What the sorter keeps waiting at most; a search reads all of it, in some 10 ms.
inline constexpr std::int64_t kStagedPairsMax = 250'000;

/// One run's row, its summaries sorted by metric.
struct StagedRun {
  std::int64_t run = 0, experiment = 0, id = 0;
  std::vector<SeriesSummary> summaries;
};

/// The rows of these experiments' runs (of all when none is named), run by run. One that cannot be read is left out and
/// logged.
Result<std::vector<StagedRun>> read_staged(catalog::Connection& connection, std::span<const std::int64_t> experiments);
/// Those of these runs.
Result<std::vector<StagedRun>> read_staged_of_runs(catalog::Connection& connection, std::span<const std::int64_t> runs);

/// take(run, point) for what they say is the latest of these metrics, run by run.
Result<void> read_staged_latest(catalog::Connection& connection, std::span<const std::int64_t> experiments,
                                std::span<const MetricNumber> metrics,
                                const std::function<void(std::int64_t run, const Point& point)>& take);

/// `old` with those in `later` instead or in addition; all sorted by metric.
std::vector<SeriesSummary> merge_summaries(std::span<const SeriesSummary> old, std::span<const SeriesSummary> later);

/// Replaces a run's row.
Result<void> write_staged(catalog::Connection& connection, const StagedRun& staged);

/// Carrying what was staged at one moment over into metric_latest, piece by piece. What is staged meanwhile stays.
class CarryOver {
 public:
  static Result<CarryOver> prepare(catalog::Connection& connection, std::span<const std::int64_t> experiments);

  bool is_done() const { return at_ == steps(); }
  /// The next so many steps, each a pair or, after all of these, a staged row that goes away. Inside a write; advance()
  /// once that is committed.
  Result<void> write_piece(catalog::Connection& connection, size_t count) const;
  void advance(size_t count) { at_ = std::min(at_ + count, steps()); }

  std::int64_t version = 0;  // of the sorter, as long as nobody else writes

 private:
  struct Entry {
    std::int64_t experiment = 0, run = 0;
    SeriesSummary summary;
  };
  struct Carried {
    std::int64_t run = 0, id = 0;
  };
  size_t steps() const { return entries_.size() + rows_.size(); }

  std::vector<Entry> entries_;
  std::vector<Carried> rows_;
  size_t at_ = 0;
};

}  // namespace slipway::tracking

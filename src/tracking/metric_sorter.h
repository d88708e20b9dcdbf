// The background pass that turns the log of batches into sorted segments and chunks, and keeps the table of latest
// values.
//
// One pass: read a snapshot (some batches, and what is known of their series); work out for each run a new segment, new
// chunks and new summaries; then writes of one or several runs, each of which first moves metric_sorter.version on and
// is refused when somebody else has moved it since. So two sorters (two servers on one PostgreSQL, or a search that
// cannot wait) never spoil each other's work: one of them starts over. A kill between two writes loses nothing, because
// each write removes exactly the batches whose points it stored.
//
// The new summaries are staged first and carried over into metric_latest later, many at once (staged_summaries.h).
//
// Segments of a run are merged like the levels of a log-structured tree: eight of one level become one of the next, and
// series that have become long enough leave it as chunks. A point is so written about log8(points) times.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "catalog/lease.h"
#include "tracking/metric_log.h"
#include "tracking/metrics.h"
#include "tracking/staged_summaries.h"

namespace slipway::tracking {

struct Unit;

struct SorterOptions {
  size_t pass_points_max = 500'000;  // read into memory at once, at 32 bytes each
  size_t pass_batches_max = 20'000;
  size_t pass_pairs_max = 50'000;    // summaries changed by one pass; more wait for the next
  size_t unit_points_max = 100'000;  // of one run in one write
  Duration delay_max = std::chrono::seconds(2);
  std::int64_t pending_points_max = 100'000;        // sorted earlier when so many wait
  std::int64_t staged_pairs_max = kStagedPairsMax;  // carried over when so many are staged,
  Duration staged_max = std::chrono::seconds(10);   // or the first of them for so long, or when the log is empty
  size_t merge_segments = 8;
  size_t chunk_points_min = 1024;  // halves with each level, down to 64
  size_t chunk_points_max = 16'384;
  bool background = true;  // false: only catch_up() sorts (tests)
};

/// What the sorter's thread should do now. Pure.
enum class SorterStep { sort, wait };
SorterStep decide(const SorterOptions& options, std::int64_t pending_points, Duration since_last_pass);

/// What is staged, as far as this server did it.
struct Staged {
  std::int64_t pairs = 0;
  bool may_be_more = true;  // what an earlier server left
  Time since;               // the first of them, on the steady clock
};
/// Whether staged summaries should be carried over now. Pure.
bool should_carry(const SorterOptions& options, const Staged& staged, bool log_is_empty, Time now);
/// How many pairs the next write should carry over, when the last one carried `pairs` and took so long.
size_t next_piece(size_t pairs, Duration took);

/// Thread: `metric-sorter`.
class MetricSorter {
 public:
  MetricSorter(catalog::Database& database, MetricLog& log, const Clock& clock, Counters& counters,
               SorterOptions options = {});
  ~MetricSorter();

  /// Sorts everything that was kept of these experiments (by number; none: of all) before this call, so that
  /// metric_latest tells the truth. Blocks; cheap when there is nothing to do.
  Result<void> catch_up(std::vector<std::int64_t> experiments = {});

 private:
  struct Passed {
    bool anything = false;  // was sorted
    bool more = false;      // may be left
  };
  void loop();
  Result<void> sort_all();
  Result<void> write(std::int64_t& version, const catalog::Write& body);
  Result<void> carry_some(Duration budget);
  Result<void> carry_all(const std::vector<std::int64_t>& experiments);
  Result<void> carry_piece(CarryOver& carried);
  void note_sorted(const Unit& unit);
  Result<Passed> pass(std::int64_t& next_run, const std::vector<std::int64_t>& experiments);
  bool leads();
  bool is_closed();
  void give_way(Duration took);
  class Hurry;

  catalog::Database& database_;
  MetricLog& log_;
  const Clock& clock_;
  const SorterOptions options_;
  catalog::Lease lease_;  // of the background, on PostgreSQL; locks itself
  Counter& sorted_;
  Counter& conflicts_;
  LatencyHistogram& took_;
  std::mutex one_pass_;        // held for a whole pass: two in one process would only conflict
  std::int64_t next_run_ = 0;  // guarded by one_pass_: where the next pass begins, so that every run has its turn
  // Guarded by one_pass_, too:
  Staged staged_;
  std::optional<CarryOver> carried_;      // in the background, from one look to the next
  size_t piece_ = 200;                    // pairs
  std::atomic<int> searches_waiting_{0};  // in catch_up()
  std::condition_variable changed_;
  Guarded<bool> closed_{false};
  Thread thread_;
};

}  // namespace slipway::tracking

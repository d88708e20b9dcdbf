#include "tracking/metric_sorter.h"

#include <algorithm>

#include "base/log.h"
#include "tracking/sort_units.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kLease = std::chrono::seconds(15);
constexpr const char* kLeaseName = "metric-sorter";
constexpr int kConflictsMax = 50;
constexpr size_t kExperimentsListedMax = 100;  // past this a search has everything sorted
constexpr int kPassesMax = 100;                // in a row, before the sorter looks up
constexpr Duration kGiveWayMax = std::chrono::milliseconds(100);
constexpr Duration kPieceTimeMax = std::chrono::milliseconds(6);  // of one write that carries summaries over
constexpr size_t kPieceMin = 50, kPieceMax = 2'000;               // pairs
constexpr std::int64_t kStagedRunCost = 10;                       // what a row costs searches at least, in pairs
constexpr Duration kCarryTime = std::chrono::milliseconds(500);   // at once, before the next pass
constexpr Duration kCarryTimeFull = std::chrono::seconds(10);

}  // namespace

SorterStep decide(const SorterOptions& options, std::int64_t pending_points, Duration since_last_pass) {
  if (pending_points >= options.pending_points_max) return SorterStep::sort;
  return since_last_pass >= options.delay_max ? SorterStep::sort : SorterStep::wait;
}

MetricSorter::MetricSorter(catalog::Database& database, MetricLog& log, const Clock& clock, Counters& counters,
                           SorterOptions options)
    : database_(database),
      log_(log),
      clock_(clock),
      options_(options),
      lease_(database, kLeaseName, kLease),
      sorted_(counters.counter("tracking_points_sorted_total",
                               "Metric points moved from the log into sorted segments and chunks")),
      conflicts_(counters.counter("tracking_sort_conflicts_total",
                                  "Sorting writes refused because another sorter was faster")),
      took_(counters.latency("tracking_sort_seconds", "How long one pass of the metric sorter took")) {
  if (options_.background) thread_ = Thread("metric-sorter", [this] { loop(); });
}

MetricSorter::~MetricSorter() {
  *closed_.lock() = true;
  changed_.notify_all();
  thread_.join();
}

bool should_carry(const SorterOptions& options, const Staged& staged, bool log_is_empty, Time now) {
  if (staged.pairs == 0 && !staged.may_be_more) return false;
  return log_is_empty || staged.pairs >= options.staged_pairs_max || now - staged.since >= options.staged_max;
}

size_t next_piece(size_t pairs, Duration took) {
  if (took > kPieceTimeMax) return std::max(kPieceMin, pairs / 2);
  if (took < kPieceTimeMax / 3) return std::min(kPieceMax, pairs + pairs / 2);
  return pairs;
}

void MetricSorter::loop() {
  std::int64_t pending = 0;
  Time last = clock_.steady();
  while (true) {
    {
      auto closed = closed_.lock();
      if (closed.wait_until(changed_, std::chrono::steady_clock::now() + kTick, [&] { return *closed; })) return;
    }
    pending += log_.take_pending();
    if (decide(options_, pending, clock_.steady() - last) == SorterStep::wait) continue;
    if (leads()) {
      const auto done = sort_all();
      if (is_closed()) return;
      if (!done.ok() && done.error().code != ErrorCode::cancelled) {
        log_warning("tracking", "metric points could not be sorted; they stay in the log",
                    {{"why", done.error().message}});
      }
    }
    pending = 0;
    last = clock_.steady();
  }
}

/// Passes until the log is empty, and staged summaries carried over when it is time.
Result<void> MetricSorter::sort_all() {
  for (int i = 0; i < kPassesMax; ++i) {
    const std::lock_guard lock(one_pass_);  // anew for each pass, so that a search gets its turn
    const Passed done = TRY(pass(next_run_, {}));
    if (is_closed()) break;
    // Once more than twice the limit is staged, nothing more is until that has become less.
    const bool is_full = staged_.pairs > 2 * options_.staged_pairs_max;
    if (carried_ || should_carry(options_, staged_, !done.anything && !done.more, clock_.steady()))
      TRY(carry_some(is_full ? kCarryTimeFull : kCarryTime));
    if (!done.more && !carried_) break;
  }
  return {};
}

bool MetricSorter::is_closed() { return *closed_.lock(); }

/// After a write in the background: as long as it took, the disk and the writer are everybody else's. Not while a
/// search waits.
void MetricSorter::give_way(Duration took) {
  auto closed = closed_.lock();
  closed.wait_until(changed_, std::chrono::steady_clock::now() + std::min(took, kGiveWayMax),
                    [&] { return *closed || searches_waiting_ > 0; });
}

/// On one PostgreSQL with several servers, one of them sorts in the background.
bool MetricSorter::leads() { return !database_.is_postgres() || lease_.hold(clock_.now()); }

/// One pass over the batches of some experiments (all when empty), beginning with run `next_run`, which says afterwards
/// where the next one begins.
Result<MetricSorter::Passed> MetricSorter::pass(std::int64_t& next_run, const std::vector<std::int64_t>& experiments) {
  const Time start = clock_.steady();
  auto snapshot = TRY(database_.read_value(
      [&](Connection& connection) { return prepare(connection, options_, next_run, experiments); }));
  const bool began_at_first = next_run == 0;
  next_run = snapshot.next_run;
  for (std::span<const Unit> rest(snapshot.units); !rest.empty();) {
    const auto group = rest.first(group_size(rest));
    rest = rest.subspan(group.size());
    const Time write_start = clock_.steady();
    TRY(write(snapshot.version, [&](Connection& connection) { return apply(connection, group, snapshot.version); }));
    for (const Unit& unit : group) note_sorted(unit);
    give_way(clock_.steady() - write_start);
  }
  if (!snapshot.units.empty()) took_.record(clock_.steady() - start);
  return Passed{!snapshot.units.empty(), snapshot.more || snapshot.next_run != 0 || !began_at_first};
}

void MetricSorter::note_sorted(const Unit& unit) {
  sorted_.add(unit.points.size());
  if (unit.summaries.empty()) return;
  if (staged_.pairs == 0 && !staged_.may_be_more) staged_.since = clock_.steady();
  staged_.pairs += std::max(static_cast<std::int64_t>(unit.summaries.size()), kStagedRunCost);
}

/// A write that holds only as long as nobody else has sorted since `version`, and moves it on.
Result<void> MetricSorter::write(std::int64_t& version, const catalog::Write& body) {
  const auto written = database_.write(catalog::Durability::stream, body);
  if (!written.ok()) {
    if (written.error().code == ErrorCode::cancelled) conflicts_.add();
    return written.error();
  }
  // Our own passes and pieces take turns; none of them is a reason for the other to begin anew.
  if (carried_ && &carried_->version != &version && carried_->version == version) ++carried_->version;
  ++version;
  return {};
}

Result<void> MetricSorter::carry_piece(CarryOver& carried) {
  const Time start = clock_.steady();
  TRY(write(carried.version, [&](Connection& connection) -> Result<void> {
    TRY(move_version(connection, carried.version));
    return carried.write_piece(connection, piece_);
  }));
  carried.advance(piece_);
  const Duration took = clock_.steady() - start;
  piece_ = next_piece(piece_, took);
  give_way(took);
  return {};
}

/// Goes on with what was begun, or begins; for about so long.
Result<void> MetricSorter::carry_some(Duration budget) {
  const Time start = clock_.steady();
  if (!carried_) {
    carried_ = TRY(database_.read_value([](Connection& connection) { return CarryOver::prepare(connection, {}); }));
    staged_ = Staged{.may_be_more = false, .since = start};
  }
  while (!carried_->is_done() && clock_.steady() - start < budget && !is_closed()) {
    if (const auto done = carry_piece(*carried_); !done.ok()) {
      carried_.reset();
      staged_ = Staged{.since = start};
      return done.error();
    }
  }
  if (carried_->is_done()) carried_.reset();
  return {};
}

/// For a search: everything that is staged of these experiments.
Result<void> MetricSorter::carry_all(const std::vector<std::int64_t>& experiments) {
  // What the background has in hand would be older than what is carried over here.
  if (carried_) staged_ = Staged{.since = clock_.steady()};
  carried_.reset();
  auto carried =
      TRY(database_.read_value([&](Connection& connection) { return CarryOver::prepare(connection, experiments); }));
  while (!carried.is_done()) TRY(carry_piece(carried));
  return {};
}

/// While one exists, the sorter gives way to nobody.
class MetricSorter::Hurry {
 public:
  explicit Hurry(MetricSorter& sorter) : sorter_(sorter) {
    ++sorter_.searches_waiting_;
    sorter_.changed_.notify_all();
  }
  ~Hurry() { --sorter_.searches_waiting_; }

 private:
  MetricSorter& sorter_;
};

Result<void> MetricSorter::catch_up(std::vector<std::int64_t> experiments) {
  if (experiments.size() > kExperimentsListedMax) experiments.clear();
  const auto newest = [&](Connection& connection) {
    return connection.first("SELECT MAX(id) FROM metric_batches", {},
                            [](const catalog::Row& row) { return row.maybe_integer(0); });
  };
  const auto limit = TRY(database_.read_value(newest));
  Sql left_over;
  left_over.add("SELECT 1 FROM metric_batches b CROSS JOIN runs r WHERE r.number = b.run AND b.id <= ?",
                limit ? limit->value_or(0) : 0);
  left_over.add(in_experiments(experiments)).add(" LIMIT 1");
  const Hurry hurry(*this);
  std::int64_t next_run = 0;
  for (int conflicts = 0; conflicts < kConflictsMax;) {
    const std::lock_guard lock(one_pass_);
    const auto left = TRY(database_.read_value([&](Connection& connection) {
      return connection.first(left_over.text, left_over.values, [](const catalog::Row&) { return true; });
    }));
    Result<void> problem;
    bool is_sorted = !left;
    if (left) {
      const auto done = pass(next_run, experiments);
      if (!done.ok()) problem = done.error();
      // Otherwise what is left cannot be read, and has been logged.
      is_sorted = done.ok() && !done->anything && !done->more;
    }
    if (is_sorted) {
      problem = carry_all(experiments);
      if (problem.ok()) return {};
    }
    if (problem.ok()) continue;
    if (problem.error().code != ErrorCode::cancelled) return problem.error();
    ++conflicts;
  }
  return Error{ErrorCode::busy, "metric points are being sorted by other servers; try again"};
}

}  // namespace slipway::tracking

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
      Result<Passed> done = Passed{true, true};
      for (int i = 0; i < kPassesMax && done.ok() && done->more; ++i) {
        const std::lock_guard lock(one_pass_);  // anew for each pass, so that a search gets its turn
        done = pass(next_run_, {});
        if (is_closed()) return;
      }
      if (!done.ok() && done.error().code != ErrorCode::cancelled) {
        log_warning("tracking", "metric points could not be sorted; they stay in the log",
                    {{"why", done.error().message}});
      }
    }
    pending = 0;
    last = clock_.steady();
  }
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
    const auto applied = database_.write(catalog::Durability::stream, catalog::Write([&](Connection& connection) {
                                           return apply(connection, group, snapshot.version);
                                         }));
    if (!applied.ok()) {
      if (applied.error().code == ErrorCode::cancelled) conflicts_.add();
      return applied.error();
    }
    ++snapshot.version;
    for (const Unit& unit : group) sorted_.add(unit.points.size());
    give_way(clock_.steady() - write_start);
  }
  if (!snapshot.units.empty()) took_.record(clock_.steady() - start);
  return Passed{!snapshot.units.empty(), snapshot.more || snapshot.next_run != 0 || !began_at_first};
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
  if (!limit || !*limit) return {};
  Sql left_over;
  left_over.add("SELECT 1 FROM metric_batches b CROSS JOIN runs r WHERE r.number = b.run AND b.id <= ?", **limit);
  left_over.add(in_experiments(experiments)).add(" LIMIT 1");
  const Hurry hurry(*this);
  std::int64_t next_run = 0;
  for (int conflicts = 0; conflicts < kConflictsMax;) {
    const std::lock_guard lock(one_pass_);
    const auto left = TRY(database_.read_value([&](Connection& connection) {
      return connection.first(left_over.text, left_over.values, [](const catalog::Row&) { return true; });
    }));
    if (!left) return {};
    const auto done = pass(next_run, experiments);
    if (done.ok() && !done->anything && !done->more) return {};  // what is left cannot be read, and has been logged
    if (done.ok()) continue;
    if (done.error().code != ErrorCode::cancelled) return done.error();
    ++conflicts;
  }
  return Error{ErrorCode::busy, "metric points are being sorted by other servers; try again"};
}

}  // namespace slipway::tracking

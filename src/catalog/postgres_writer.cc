#include "catalog/postgres_writer.h"

#include <fmt/format.h>

#include "base/afterwards.h"
#include "base/log.h"
#include "base/random.h"

namespace slipway::catalog {
namespace {

/// PostgreSQL keeps up to 64 subtransactions of a transaction in shared memory; beyond, every snapshot gets slower.
constexpr size_t kGroupMax = 64;
constexpr int kAttemptsMax = 10;
/// How long writes wait for a database that went away, before they are told `unavailable`.
constexpr Duration kReconnectMax = std::chrono::seconds(15);

}  // namespace

Result<std::unique_ptr<PostgresConnection>> reconnect(const std::string& url, Time deadline,
                                                      const std::atomic<bool>& closing) {
  constexpr Duration kPauseMax = std::chrono::milliseconds(500);
  Duration pause = std::chrono::milliseconds(20);
  while (true) {
    auto connection = PostgresConnection::open(url);
    if (connection.ok() || closing || system_clock().steady() + pause > deadline) return connection;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPauseMax);
  }
}

void Turns::acquire(bool alone) {
  auto state = state_.lock();
  if (alone) {
    ++state->wanting_alone;
    state.wait(changed_, [&] { return !state->alone && state->running == 0; });
    --state->wanting_alone;
    state->alone = true;
  } else {
    state.wait(changed_, [&] { return !state->alone && state->wanting_alone == 0; });
    ++state->running;
  }
}

void Turns::release(bool alone) {
  {
    auto state = state_.lock();
    if (alone) {
      state->alone = false;
    } else {
      --state->running;
    }
  }
  changed_.notify_all();
}

PostgresWriter::PostgresWriter(PostgresShared& shared, size_t index)
    : shared_(shared), name_(random_hex(12)), thread_("db-writer-" + std::to_string(index), [this] { loop(); }) {}

void PostgresWriter::loop() {
  while (true) {
    auto group = shared_.queue.pop_group(std::min(shared_.options.group_max, kGroupMax));
    if (group.empty()) break;
    write_group(group);
  }
  // A tidy end; the rows of servers that were killed are swept when the next one opens the database.
  if (connection_) (void)connection_->run("DELETE FROM catalog_marks WHERE writer = ?", {name_});
}

Result<void> PostgresWriter::ensure_connected() {
  while (true) {
    if (connection_ && connection_->is_lost()) connection_.reset();
    if (connection_ && has_mark_row_) return {};
    if (!lost_since_) lost_since_ = system_clock().steady();
    if (!connection_) connection_ = TRY(reconnect(shared_.options.url, *lost_since_ + kReconnectMax, shared_.closing));
    // Small tables would be scanned whole, and a serializable transaction that scans a table collides with whoever
    // writes anything into it.
    auto ready = connection_->execute("SET enable_seqscan = off");
    if (ready.ok()) ready = make_mark_row();
    if (!ready.ok() && !(connection_->is_lost() && may_wait())) return ready;
  }
}

bool PostgresWriter::may_wait() const {
  return !shared_.closing && (!lost_since_ || system_clock().steady() < *lost_since_ + kReconnectMax);
}

Result<void> PostgresWriter::make_mark_row() {
  connection_->begin_closure(false);
  TRY(connection_->run("INSERT INTO catalog_marks(writer, mark, at) VALUES (?, 0, ?) ON CONFLICT (writer) DO NOTHING",
                       {name_, system_clock().now().micros}));
  has_mark_row_ = true;
  return {};
}

/// Tries until the group is committed or cannot be, and tells everybody.
void PostgresWriter::write_group(std::span<QueuedWrite> group) {
  std::vector<Result<void>> results;
  Result<void> outcome;
  for (int attempt = 1;; ++attempt) {
    if (outcome = ensure_connected(); !outcome.ok()) break;
    const bool alone = attempt > 1;
    shared_.turns.acquire(alone);
    outcome = try_group(group, results);
    shared_.turns.release(alone);
    if (outcome.ok()) break;

    if (connection_->is_lost()) {
      log_warning("catalog", "the connection to PostgreSQL was lost; its writes are tried again",
                  {{"error", outcome.error().message}});
      const auto committed = was_committed();
      if (!committed.ok()) {
        outcome = committed.error();
        break;
      }
      if (committed.value()) outcome = {};
      if (committed.value() || !may_wait()) break;
    } else {
      (void)connection_->execute("ROLLBACK");
      if (!connection_->had_conflict() || attempt >= kAttemptsMax) break;
      // Another server stands in the way now: wait a little, each for another time.
      if (attempt > 1) std::this_thread::sleep_for(std::chrono::microseconds(random_u64() % (2'000u << attempt)));
    }
    shared_.counters.retries.add();
  }
  if (outcome.ok()) {
    lost_since_.reset();
    shared_.counters.commits.add();
    shared_.counters.writes.add(group.size());
    shared_.counters.group.set(static_cast<std::int64_t>(group.size()));
  }
  const Afterwards wake_together;
  for (size_t i = 0; i < group.size(); ++i) group[i].done(outcome.ok() ? std::move(results[i]) : outcome);
}

Result<void> PostgresWriter::begin(bool streams_only) {
  const bool sync_off = streams_only && !shared_.options.sync_streams;
  connection_->forget_conflict();
  connection_->begin_closure(false);
  return connection_->execute(fmt::format(
      "BEGIN ISOLATION LEVEL SERIALIZABLE; {}UPDATE catalog_marks SET mark = {}, at = {} WHERE writer = '{}'",
      sync_off ? "SET LOCAL synchronous_commit TO off; " : "", mark_, system_clock().now().micros, name_));
}

/// One transaction for the group. An error is the group's (the transaction is still to be rolled back); the closures'
/// own are in `results`.
Result<void> PostgresWriter::try_group(std::span<QueuedWrite> group, std::vector<Result<void>>& results) {
  const Time start = system_clock().steady();
  results.clear();
  ++mark_;
  const bool streams_only =
      std::all_of(group.begin(), group.end(), [](const QueuedWrite& w) { return w.durability == Durability::stream; });
  TRY(begin(streams_only));
  for (const QueuedWrite& write : group) {
    results.push_back(run_one(write.body, streams_only, group.size() == 1));
    if (connection_->is_lost() || connection_->had_conflict()) {
      return results.back().ok()
                 ? Error{ErrorCode::busy, "the database asked for this group of writes to be tried again"}
                 : results.back().error();
    }
  }
  auto committed = connection_->commit();
  if (!committed.ok() && connection_->had_conflict()) {
    return Error{ErrorCode::busy,
                 fmt::format("other writers stood in the way {} times; try again later", kAttemptsMax)};
  }
  TRY(std::move(committed));
  if (streams_only && !shared_.options.sync_streams) shared_.streams_unsynced = true;
  shared_.counters.commit.record(system_clock().steady() - start);
  return {};
}

/// Runs one closure; when it fails, what it did is undone and the transaction goes on. A closure that is alone in its
/// group needs no savepoint: its transaction is its own.
Result<void> PostgresWriter::run_one(const Write& body, bool streams_only, bool alone) {
  const auto undo = [&]() -> Result<void> {
    if (!alone) return connection_->execute("ROLLBACK TO SAVEPOINT one");
    TRY(connection_->execute("ROLLBACK"));
    return begin(streams_only);
  };
  if (!alone) TRY(connection_->execute("SAVEPOINT one"));
  connection_->begin_closure(false);
  auto result = run_body(body, *connection_);
  if (connection_->is_lost() || connection_->had_conflict()) return result;
  if (connection_->must_rerun() || (result.ok() && connection_->is_spoiled())) {
    TRY(undo());
    connection_->begin_closure(true);
    result = run_body(body, *connection_);
    if (connection_->is_lost() || connection_->had_conflict()) return result;
  }
  if (!result.ok()) TRY(undo());
  connection_->begin_closure(false);
  if (!alone) TRY(connection_->execute("RELEASE SAVEPOINT one"));
  return result;
}

Result<bool> PostgresWriter::was_committed() {
  while (true) {
    TRY(ensure_connected());
    connection_->begin_closure(false);
    const auto mark = connection_->first("SELECT mark FROM catalog_marks WHERE writer = ? FOR UPDATE", {name_},
                                         [](const Row& row) { return row.integer(0); });
    if (mark.ok()) return mark.value() == mark_;
    // Lost again, or the lock is held by our old connection, which the server still believes in.
    const bool passing = connection_->is_lost() || mark.error().code == ErrorCode::busy;
    if (!passing || !may_wait()) {
      return Error{ErrorCode::unavailable,
                   "the connection to PostgreSQL was lost while it committed, so it is not known whether this "
                   "was kept; look before trying again (" +
                       mark.error().message + ")"};
    }
  }
}

}  // namespace slipway::catalog

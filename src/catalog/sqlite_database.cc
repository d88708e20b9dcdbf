// The embedded database: one writer with group commit, pooled readers, a log that is synced and checkpointed beside
// them.
//
// Life of a write: it queues; `db-writer-0` takes all that wait, begins a transaction, runs each closure, commits.
// Failed closures and streams are told then; records go on to `db-sync-0`, which forces the log to disk once for all
// groups that wait there, and tells them (wal_sync.h says why that is enough).
//
// A closure that fails must undo only itself, so each runs behind a savepoint, which costs about as much as the small
// insert behind it. Streams, which hardly ever fail, run without: when one fails all the same, the transaction is
// rolled back and the group begins anew with savepoints.
//
// The log: `db-check-0` copies its pages into the database file in the background (a passive checkpoint waits for
// nobody and nobody waits for it). Under steady load it never catches the end of the log, so the log would grow without
// end; past kWalFramesMax the writer copies the rest itself between two groups, as soon as a background copy has left
// only a short one, and the next write starts the log from its beginning. Only a reader that holds an old snapshot can
// keep it longer; that is logged.
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <span>

#include "base/afterwards.h"
#include "base/file.h"
#include "base/guarded.h"
#include "base/log.h"
#include "base/thread.h"
#include "catalog/backend.h"
#include "catalog/backup_file.h"
#include "catalog/migrate.h"
#include "catalog/sqlite_connection.h"
#include "catalog/wal_sync.h"

namespace slipway::catalog {
namespace {

/// A transaction takes no more closures after this long, so that the first in a group does not wait for a thousand.
constexpr Duration kGroupTimeMax = std::chrono::milliseconds(10);
constexpr int kCheckpointFrames = 1'000;  // 4 MiB of log between background checkpoints
constexpr int kWalFramesMax = 8'192;      // 32 MiB
constexpr int kRestFramesMax = 1'000;     // of them the writer copies itself, in a few milliseconds
constexpr int kWalFramesFar = 12'288;     // 48 MiB: the writer copies whatever is left
constexpr int kGuardedGroups = 100;       // run with savepoints after one that had to begin anew

/// Lends connections; waits for a free one.
class ReaderPool {
 public:
  explicit ReaderPool(std::vector<std::unique_ptr<SqliteConnection>> readers) : free_(std::move(readers)) {}

  std::unique_ptr<SqliteConnection> acquire() {
    auto free = free_.lock();
    free.wait(changed_, [&] { return !free->empty(); });
    auto reader = std::move(free->back());
    free->pop_back();
    return reader;
  }
  void release(std::unique_ptr<SqliteConnection> reader) {
    free_.lock()->push_back(std::move(reader));
    changed_.notify_one();
  }

 private:
  std::condition_variable changed_;
  Guarded<std::vector<std::unique_ptr<SqliteConnection>>> free_;
};

/// Copies the log into the database file whenever asked. Thread: `db-check-0`.
class Checkpointer {
 public:
  Checkpointer(std::unique_ptr<SqliteConnection> connection, Counters& counters)
      : connection_(std::move(connection)),
        took_(counters.latency("catalog_checkpoint_seconds", "How long copying SQLite's log into its file took")),
        thread_("db-check-0", [this] { loop(); }) {}
  ~Checkpointer() {
    state_.lock()->closed = true;
    changed_.notify_one();
    thread_.join();
  }
  void ask() {
    state_.lock()->asked = true;
    changed_.notify_one();
  }

  /// How many frames of the log the last copy left copied.
  int copied() const { return copied_.load(std::memory_order_relaxed); }
  /// Whether a copy is being made now.
  bool is_busy() const { return busy_.load(std::memory_order_relaxed); }

  struct Copied {
    int frames = 0, copied = 0;
  };
  /// Copies what can be copied without waiting for readers or writers; one at a time, because SQLite would send a
  /// second one away with nothing done.
  Copied copy(SqliteConnection& connection) {
    const std::lock_guard turn(copying_);
    const Time start = system_clock().steady();
    busy_ = true;
    Copied result;
    sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &result.frames, &result.copied);
    took_.record(system_clock().steady() - start);
    copied_ = result.copied;
    busy_ = false;
    return result;
  }

 private:
  struct State {
    bool asked = false, closed = false;
  };
  void loop() {
    while (true) {
      {
        auto state = state_.lock();
        state.wait(changed_, [&] { return state->asked || state->closed; });
        if (state->closed) return;
        state->asked = false;
      }
      copy(*connection_);
    }
  }

  const std::unique_ptr<SqliteConnection> connection_;
  LatencyHistogram& took_;
  std::mutex copying_;
  std::atomic<int> copied_{0};
  std::atomic<bool> busy_{false};
  std::condition_variable changed_;
  Guarded<State> state_;
  Thread thread_;
};

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(const DatabaseOptions& options, std::filesystem::path path, std::unique_ptr<SqliteConnection> writer,
                 std::vector<std::unique_ptr<SqliteConnection>> readers, std::unique_ptr<SqliteConnection> checkpointer,
                 UniqueFd wal, Counters& counters)
      : options_(options),
        path_(std::move(path)),
        counters_(counters),
        wal_frames_gauge_(counters.gauge("catalog_wal_frames", "Pages in SQLite's write-ahead log")),
        writer_(std::move(writer)),
        readers_(std::move(readers)),
        checkpointer_(std::move(checkpointer), counters),
        wal_sync_(std::move(wal), path_.string() + "-wal", options.stream_sync_interval, counters_),
        queue_(options.writes_waiting_max, counters_) {
    sqlite3_wal_hook(writer_->handle(), &SqliteDatabase::on_commit, this);
    thread_ = Thread("db-writer-0", [this] { write_loop(); });
  }
  ~SqliteDatabase() override {
    queue_.close();
    thread_.join();
  }

  Result<void> read(const std::function<Result<void>(Connection&)>& body) override;
  using Database::write;
  void write(Durability durability, Write body, Completion done) override {
    queue_.push(durability, std::move(body), std::move(done));
  }
  Result<void> backup(const std::filesystem::path& path) override;
  Result<std::uint64_t> bytes() override;
  bool is_postgres() const override { return false; }

 private:
  static int on_commit(void* self, sqlite3*, const char*, int frames) {
    static_cast<SqliteDatabase*>(self)->wal_frames_ = frames;
    return SQLITE_OK;
  }
  void write_loop();
  size_t write_group(std::span<QueuedWrite> waiting);
  bool wants_savepoints(std::span<const QueuedWrite> waiting);
  Result<void> run_group(std::span<const QueuedWrite> waiting, bool with_savepoints,
                         std::vector<Result<void>>& results);
  Result<void> run_behind_savepoint(const Write& body);
  Result<void> commit();
  void finish(std::span<QueuedWrite> group, std::vector<Result<void>>& results);
  void tend_wal();

  // Constant after construction.
  const DatabaseOptions options_;
  const std::filesystem::path path_;
  WriteCounters counters_;
  Gauge& wal_frames_gauge_;

  // The writer thread's own.
  const std::unique_ptr<SqliteConnection> writer_;
  int wal_frames_ = 0, checkpoint_asked_at_ = 0, checkpoint_forced_at_ = 0;
  int guarded_groups_ = 0;  // still to be run with savepoints

  // Locks itself. The order is that of shutting down, reversed: the writer first, then the sync, then the rest.
  ReaderPool readers_;
  Checkpointer checkpointer_;
  WalSync wal_sync_;
  WriteQueue queue_;
  Thread thread_;
};

Result<void> SqliteDatabase::read(const std::function<Result<void>(Connection&)>& body) {
  auto reader = readers_.acquire();
  Result<void> result = reader->execute("BEGIN DEFERRED");
  if (result.ok()) {
    result = run_body(body, *reader);
    (void)reader->execute("ROLLBACK");
  }
  readers_.release(std::move(reader));
  return result;
}

void SqliteDatabase::write_loop() {
  while (true) {
    auto group = queue_.pop_group(options_.group_max);
    if (group.empty()) return;
    for (std::span<QueuedWrite> rest(group); !rest.empty();) rest = rest.subspan(write_group(rest));
  }
}

/// Commits as many of `waiting` as fit into one transaction and sees that they are told; returns how many.
size_t SqliteDatabase::write_group(std::span<QueuedWrite> waiting) {
  tend_wal();
  const auto fail_all = [&](size_t count, const Error& error) {
    for (QueuedWrite& write : waiting.first(count)) write.done(error);
    return count;
  };
  if (const auto failed = wal_sync_.failure()) return fail_all(waiting.size(), *failed);

  const Time start = system_clock().steady();
  std::vector<Result<void>> results;
  const bool with_savepoints = wants_savepoints(waiting);
  auto outcome = run_group(waiting, with_savepoints, results);
  if (outcome.ok() && !with_savepoints && !results.back().ok()) {
    (void)writer_->execute("ROLLBACK");
    if (waiting.size() == 1) return fail_all(1, results.back().error());
    counters_.retries.add();
    guarded_groups_ = kGuardedGroups;
    outcome = run_group(waiting, true, results);
  }
  if (outcome.ok()) outcome = commit();
  if (!outcome.ok()) return fail_all(results.empty() ? waiting.size() : results.size(), outcome.error());
  counters_.commit.record(system_clock().steady() - start);
  counters_.commits.add();
  counters_.writes.add(results.size());
  counters_.group.set(static_cast<std::int64_t>(results.size()));
  const size_t count = results.size();
  finish(waiting.first(count), results);
  return count;
}

bool SqliteDatabase::wants_savepoints(std::span<const QueuedWrite> waiting) {
  if (waiting.size() == 1) return false;  // the transaction is its own
  if (guarded_groups_ > 0) {
    --guarded_groups_;
    return true;
  }
  return std::any_of(waiting.begin(), waiting.end(),
                     [](const QueuedWrite& write) { return write.durability != Durability::stream; });
}

/// Begins a transaction and runs what fits into it; the closures' own errors are in `results`. Without savepoints the
/// first of them is the end. An error is the group's, and the transaction is gone or was never there.
Result<void> SqliteDatabase::run_group(std::span<const QueuedWrite> waiting, bool with_savepoints,
                                       std::vector<Result<void>>& results) {
  const Time start = system_clock().steady();
  results.clear();
  TRY(writer_->run("BEGIN IMMEDIATE", {}));
  while (results.size() < waiting.size() && (results.empty() || system_clock().steady() - start < kGroupTimeMax)) {
    const Write& body = waiting[results.size()].body;
    results.push_back(with_savepoints ? run_behind_savepoint(body) : run_body(body, *writer_));
    if (!writer_->in_transaction()) {
      return results.back().ok() ? Error{ErrorCode::internal, "a closure ended the transaction it ran in"}
                                 : results.back().error();
    }
    if (!with_savepoints && !results.back().ok()) break;
  }
  return {};
}

Result<void> SqliteDatabase::run_behind_savepoint(const Write& body) {
  TRY(writer_->run("SAVEPOINT one", {}));
  auto result = run_body(body, *writer_);
  if (!writer_->in_transaction()) return result;
  if (!result.ok()) TRY(writer_->run("ROLLBACK TO one", {}));
  TRY(writer_->run("RELEASE one", {}));
  return result;
}

Result<void> SqliteDatabase::commit() {
  auto committed = writer_->run("COMMIT", {});
  if (committed.ok()) return {};
  if (writer_->in_transaction()) (void)writer_->execute("ROLLBACK");
  return committed.error();
}

/// The group is committed: tells those that need nothing more, and hands the others to the sync.
void SqliteDatabase::finish(std::span<QueuedWrite> group, std::vector<Result<void>>& results) {
  std::vector<Completion> records;
  for (size_t i = 0; i < group.size(); ++i) {
    const bool needs_sync = group[i].durability == Durability::record || options_.sync_streams;
    if (results[i].ok() && needs_sync) records.push_back(std::exchange(group[i].done, nullptr));
  }
  wal_sync_.committed(std::move(records));
  const Afterwards wake_together;
  for (size_t i = 0; i < group.size(); ++i) {
    if (group[i].done) group[i].done(std::move(results[i]));
  }
}

/// Between two groups: keeps the log short.
void SqliteDatabase::tend_wal() {
  wal_frames_gauge_.set(wal_frames_);
  if (wal_frames_ < checkpoint_asked_at_) checkpoint_asked_at_ = checkpoint_forced_at_ = 0;  // the log began anew
  if (wal_frames_ - checkpoint_asked_at_ >= kCheckpointFrames) {
    checkpoint_asked_at_ = wal_frames_;
    checkpointer_.ask();
  }
  const int since_forced = wal_frames_ - checkpoint_forced_at_;
  if (since_forced < kWalFramesMax) return;
  // A copy that was finished after the log began anew speaks of more frames than there are.
  const int rest = wal_frames_ - checkpointer_.copied();
  const bool is_short = rest >= 0 && rest <= kRestFramesMax && !checkpointer_.is_busy();
  if (!is_short && since_forced < kWalFramesFar) return;
  checkpoint_forced_at_ = wal_frames_;
  const auto result = checkpointer_.copy(*writer_);
  if (result.copied < result.frames) {
    log_warning("catalog", "a reader with an old snapshot keeps the database's log from being emptied",
                {{"frames", std::to_string(result.frames)}, {"copied", std::to_string(result.copied)}});
  }
}

Result<void> SqliteDatabase::backup(const std::filesystem::path& path) {
  return make_backup_file(path,
                          [&](const std::filesystem::path& unfinished) { return copy_sqlite(path_, unfinished); });
}

Result<std::uint64_t> SqliteDatabase::bytes() {
  std::uint64_t total = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code problem;
    const auto size = std::filesystem::file_size(path_.string() + suffix, problem);
    if (problem) return system_error("look at", path_.string() + suffix, problem.value());
    total += size;
  }
  return total;
}

/// The file is made by us, for us alone: it holds password hashes. SQLite gives its companions the same rights.
Result<void> create_private_file(const std::filesystem::path& path) {
  auto made = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (made.ok() || made.error().code == ErrorCode::already_exists) return {};
  return made.error();
}

/// A database that is about to get a newer schema is copied first, to FILE.schema-NUMBER, so that whoever regrets the
/// upgrade can go back. One copy per schema: a later one takes the place of the earlier.
Result<void> keep_before_migration(const std::filesystem::path& path, Session& session,
                                   const std::vector<Migration>& migrations) {
  const SchemaState state = TRY(schema_state(session, migrations, "BEGIN IMMEDIATE"));
  if (state.newest_applied == 0 || state.missing == 0) return {};
  const std::filesystem::path copy = fmt::format("{}.schema-{}", path.string(), state.newest_applied);
  std::error_code ignored;
  std::filesystem::remove(copy, ignored);
  TRY(make_backup_file(copy, [&](const std::filesystem::path& unfinished) { return copy_sqlite(path, unfinished); }));
  log_info(
      "catalog",
      "the database was copied before its schema is changed; remove the copy when the new version has proved itself",
      {{"copy", copy.string()}});
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const DatabaseOptions& options, const std::vector<Migration>& migrations,
                                              Counters& counters) {
  const std::filesystem::path path = options.url.substr(std::string_view("sqlite:").size());
  if (path.empty() || path.string().starts_with(":")) {
    return Error{ErrorCode::invalid_argument, "'" + options.url + "' names no file; expected sqlite:/path/file.db"};
  }
  TRY(create_private_file(path));
  auto writer = TRY(SqliteConnection::open(path, SqliteConnection::Mode::writer));
  TRY(keep_before_migration(path, *writer, migrations));
  TRY(migrate(*writer, migrations, "BEGIN IMMEDIATE", system_clock().now()));
  // A write that changes nothing that matters makes sure that the log exists before its descriptor is taken.
  TRY(writer->execute("BEGIN IMMEDIATE; PRAGMA user_version = 1; COMMIT"));

  // SQLite locks the database file, not its log; a second descriptor of the log is safe to close (POSIX drops a
  // process's locks on a file when any of its descriptors is closed).
  UniqueFd wal = TRY(open_file(path.string() + "-wal", O_RDWR));
  TRY(sync_file(wal.get(), path.string() + "-wal"));
  TRY(sync_directory(path.has_parent_path() ? path.parent_path() : "."));

  std::vector<std::unique_ptr<SqliteConnection>> readers;
  for (size_t i = 0; i < std::max<size_t>(options.readers, 1); ++i) {
    readers.push_back(TRY(SqliteConnection::open(path, SqliteConnection::Mode::reader)));
  }
  auto checkpointer = TRY(SqliteConnection::open(path, SqliteConnection::Mode::checkpointer));
  return std::unique_ptr<Database>(std::make_unique<SqliteDatabase>(
      options, path, std::move(writer), std::move(readers), std::move(checkpointer), std::move(wal), counters));
}

}  // namespace slipway::catalog

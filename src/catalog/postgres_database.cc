// PostgreSQL for teams: pooled readers with a snapshot each, several writers (postgres_writer.h), and the sync of
// streams.
#include <fmt/format.h>

#include "base/log.h"
#include "catalog/backup_file.h"
#include "catalog/copy_rows.h"
#include "catalog/migrate.h"
#include "catalog/postgres_schema.h"
#include "catalog/postgres_writer.h"

namespace slipway::catalog {
namespace {

constexpr Duration kReadReconnectMax = std::chrono::seconds(5);
/// Two servers that start at once must not both bring the schema up. Any number does that nobody else uses.
constexpr std::int64_t kMigrationLock = 7'130'001'977;
/// Rows of writers that are surely gone.
constexpr Duration kMarkAgeMax = std::chrono::hours(24 * 30);

/// Connections for reading, made when first needed and made again when lost.
class PostgresReaders {
 public:
  PostgresReaders(std::string url, size_t count) : url_(std::move(url)) {
    free_.lock()->resize(std::max<size_t>(count, 1));
  }

  Result<void> read(const std::function<Result<void>(Connection&)>& body) {
    auto reader = acquire();
    auto result = begin(reader);
    if (result.ok()) {
      result = run_body(body, *reader);
      (void)reader->execute("ROLLBACK");
    }
    if (reader && reader->is_lost()) reader.reset();
    free_.lock()->push_back(std::move(reader));
    changed_.notify_one();
    return result;
  }

 private:
  std::unique_ptr<PostgresConnection> acquire() {
    auto free = free_.lock();
    free.wait(changed_, [&] { return !free->empty(); });
    auto reader = std::move(free->back());
    free->pop_back();
    return reader;
  }
  /// A connection that died in the pool is noticed here, before anything was read.
  Result<void> begin(std::unique_ptr<PostgresConnection>& reader) {
    constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    if (reader) {
      reader->begin_closure(false);
      auto begun = reader->execute(kBegin);
      if (begun.ok() || !reader->is_lost()) return begun;
    }
    static const std::atomic<bool> kNever{false};
    reader.reset();
    reader = TRY(reconnect(url_, system_clock().steady() + kReadReconnectMax, kNever));
    return reader->execute(kBegin);
  }

  const std::string url_;
  std::condition_variable changed_;
  Guarded<std::vector<std::unique_ptr<PostgresConnection>>> free_;
};

/// Makes streams durable at the interval: a commit that waits for the disk makes all commits before it durable.
/// Thread: `db-sync-0`.
class StreamSync {
 public:
  explicit StreamSync(PostgresShared& shared) : shared_(shared), thread_("db-sync-0", [this] { loop(); }) {}
  ~StreamSync() {
    *closed_.lock() = true;
    changed_.notify_one();
    thread_.join();
  }

 private:
  void loop() {
    bool closed = false;
    while (!closed) {
      {
        auto state = closed_.lock();
        closed = state.wait_until(changed_, std::chrono::steady_clock::now() + shared_.options.stream_sync_interval,
                                  [&] { return *state; });
      }
      if (shared_.streams_unsynced.exchange(false)) sync();
    }
  }
  void sync() {
    const Time start = system_clock().steady();
    if (!connection_ || connection_->is_lost()) {
      auto made = PostgresConnection::open(shared_.options.url);
      connection_ = made.ok() ? std::move(made).value() : nullptr;
    }
    // A transactional message is a record in the log and nothing else.
    if (!connection_ || !connection_->execute("SELECT pg_logical_emit_message(true, 'slipway', 'sync')").ok()) {
      shared_.streams_unsynced = true;
      return;
    }
    shared_.counters.syncs.add();
    shared_.counters.sync.record(system_clock().steady() - start);
  }

  PostgresShared& shared_;
  std::unique_ptr<PostgresConnection> connection_;
  std::condition_variable changed_;
  Guarded<bool> closed_{false};
  Thread thread_;
};

class PostgresDatabase : public Database {
 public:
  PostgresDatabase(const DatabaseOptions& options, const std::vector<Migration>& migrations, Counters& counters)
      : migrations_(migrations), shared_(options, counters), readers_(options.url, options.readers), sync_(shared_) {
    for (size_t i = 0; i < std::max<size_t>(options.writers, 1); ++i)
      writers_.push_back(std::make_unique<PostgresWriter>(shared_, i));
  }
  ~PostgresDatabase() override {
    shared_.closing = true;
    shared_.queue.close();
    writers_.clear();
  }

  Result<void> read(const std::function<Result<void>(Connection&)>& body) override { return readers_.read(body); }
  using Database::write;
  void write(Durability durability, Write body, Completion done) override {
    shared_.queue.push(durability, std::move(body), std::move(done));
  }
  Result<void> backup(const std::filesystem::path& path) override {
    return make_backup_file(path, [&](const std::filesystem::path& unfinished) { return copy_into(unfinished); });
  }
  Result<std::uint64_t> bytes() override {
    return read_value([](Connection& c) -> Result<std::uint64_t> {
      const auto size = TRY(
          c.first("SELECT pg_database_size(current_database())", {}, [](const Row& row) { return row.integer(0); }));
      return static_cast<std::uint64_t>(size.value_or(0));
    });
  }
  bool is_postgres() const override { return true; }

 private:
  /// One snapshot of everything, as an SQLite database. A file that fails half-way is thrown away, so it needs no log.
  Result<void> copy_into(const std::filesystem::path& path) {
    const auto target = TRY(SqliteConnection::open(path, SqliteConnection::Mode::writer));
    TRY(migrate(*target, migrations_, "BEGIN IMMEDIATE", system_clock().now()));
    TRY(target->execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN"));
    const auto source = TRY(PostgresConnection::open(shared_.options.url));
    TRY(source->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    TRY(copy_rows(*source, *target, TRY(tables_of(*target))));
    return target->execute("COMMIT");
  }

  const std::vector<Migration> migrations_;
  // The order is that of shutting down, reversed: writers first, then the sync, which covers what they wrote last.
  PostgresShared shared_;
  PostgresReaders readers_;
  StreamSync sync_;
  std::vector<std::unique_ptr<PostgresWriter>> writers_;
};

}  // namespace

Result<bool> is_half_restored(Session& postgres) {
  const auto found =
      TRY(postgres.first("SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?",
                         {kHalfRestoredTable}, [](const Row& row) { return row.integer(0); }));
  return found.value_or(0) > 0;
}

Result<void> prepare_postgres_schema(PostgresConnection& session, const std::vector<Migration>& migrations) {
  const Time now = system_clock().now();
  TRY(session.execute(fmt::format("SET lock_timeout = '60s'; SELECT pg_advisory_lock({})", kMigrationLock)));
  // Half-empty pages keep updates of a writer's row on its page, out of the index and so out of other writers' way.
  TRY(session.execute(
      "CREATE TABLE IF NOT EXISTS catalog_marks(writer TEXT PRIMARY KEY, mark BIGINT NOT NULL, at BIGINT NOT NULL) "
      "WITH (fillfactor = 50)"));
  TRY(session.run("DELETE FROM catalog_marks WHERE at < ?", {(now - kMarkAgeMax).micros}));
  auto migrated = migrate(session, migrations, "BEGIN", now);
  TRY(session.execute(fmt::format("SELECT pg_advisory_unlock({})", kMigrationLock)));
  return migrated;
}

Result<std::unique_ptr<Database>> open_postgres(const DatabaseOptions& options,
                                                const std::vector<Migration>& migrations, Counters& counters) {
  const auto session = TRY(PostgresConnection::open(options.url));
  if (TRY(is_half_restored(*session))) {
    return Error{
        ErrorCode::failed_precondition,
        "the database holds a backup that was restored half-way; run the same `slipway restore` again to its end"};
  }
  TRY(prepare_postgres_schema(*session, migrations));
  return std::unique_ptr<Database>(std::make_unique<PostgresDatabase>(options, migrations, counters));
}

}  // namespace slipway::catalog

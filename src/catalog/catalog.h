// The front door of catalog: the database as a tool. Plain SQL on SQLite (WAL) and PostgreSQL alike.
//
// Reads run on pooled connections and block their thread. Writes are closures that queue for the writer; it puts all
// that wait into one transaction (each behind its own savepoint, so that one that fails undoes only itself), commits
// once, makes it durable once, and then tells everybody: group commit. A closure may therefore be run again when the
// database asks for a retry; it must have no effect outside the transaction.
//
// SQL is written once for both databases: placeholders are `?` (rewritten to $1… for PostgreSQL), integers are BIGINT,
// times are microseconds in BIGINT, truth values are SMALLINT 0/1, bytes are BLOB (BYTEA on PostgreSQL: migrations say
// {blob}), upserts are INSERT … ON CONFLICT. NaN becomes NULL on both, because SQLite has no NaN; infinities are kept.
// Text must be valid UTF-8 without NUL bytes, or the statement is refused with invalid_argument. The README lists the
// other differences between the two databases that SQL has to keep clear of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/result.h"

namespace slipway::catalog {

/// Bytes, as opposed to text.
struct Blob {
  std::string bytes;
};

using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;
using Values = std::vector<Value>;

/// One row of a result. Columns count from 0. Reading a column as a type it does not hold is a CHECK failure, except
/// that integer() of NULL is 0, number() of NULL is 0, text() and blob() of NULL are empty, and number() takes
/// integers.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double number(int column) const = 0;
  /// Valid until the next row.
  virtual std::string_view text(int column) const = 0;
  virtual std::string_view blob(int column) const = 0;

  std::optional<std::int64_t> maybe_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  std::optional<std::string> maybe_text(int column) const {
    return is_null(column) ? std::nullopt : std::optional(std::string(text(column)));
  }
};

/// A connection inside a transaction: read-only for readers, read-write for writers. Prepared statements are kept by
/// their SQL text, so pass literals. Errors: already_exists (a unique constraint), failed_precondition (a foreign key
/// or check or a missing value), busy (locked too long, or the disk is full), invalid_argument (text that is no text),
/// unavailable (the database is away), internal otherwise; the message has the SQL. A statement that fails undoes only
/// itself; the closure may go on. A connection belongs to its closure's thread for as long as the closure runs.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Runs one statement; `on_row` returns false to stop early, and may itself run other statements. Returns the number
  /// of rows changed.
  virtual Result<std::int64_t> run(std::string_view sql, const Values& values,
                                   const std::function<bool(const Row&)>& on_row = nullptr) = 0;
  virtual bool is_postgres() const = 0;

  /// `{make(row), …}` for every row.
  template <typename Make>
  auto rows(std::string_view sql, const Values& values, Make make)
      -> Result<std::vector<std::invoke_result_t<Make, const Row&>>> {
    std::vector<std::invoke_result_t<Make, const Row&>> out;
    TRY(run(sql, values, [&](const Row& row) {
      out.push_back(make(row));
      return true;
    }));
    return out;
  }
  /// make(first row), or nullopt.
  template <typename Make>
  auto first(std::string_view sql, const Values& values, Make make)
      -> Result<std::optional<std::invoke_result_t<Make, const Row&>>> {
    std::optional<std::invoke_result_t<Make, const Row&>> out;
    TRY(run(sql, values, [&](const Row& row) {
      out = make(row);
      return false;
    }));
    return out;
  }
};

/// What a 2xx means for what was written (design, section 7).
enum class Durability {
  record,  // synced to disk (committed in PostgreSQL) before the completion is told
  stream,  // survives a kill of the server; synced at least every 200 ms. As `record` when
           // DatabaseOptions::sync_streams
};

struct DatabaseOptions {
  /// "sqlite:/path/file.db" or "postgresql://user@host:port/name".
  std::string url;
  bool sync_streams = false;  // --durability full
  size_t readers = 4;
  size_t writers = 4;  // PostgreSQL only; SQLite has one
  size_t writes_waiting_max = 20'000;
  size_t group_max = 1'000;  // closures in one transaction
  Duration stream_sync_interval = std::chrono::milliseconds(200);
};

/// A numbered step of the schema's one history. Names come from the file: "0003_metric_batches.sql".
struct Migration {
  int number = 0;
  std::string name;
  std::string sql;  // statements end with ';' at a line's end; {blob}, {serial}, {without_rowid} differ per database
};

using Write = std::function<Result<void>(Connection&)>;
using Completion = std::function<void(Result<void>)>;

/// One database. Threads: `db-writer-N`, `db-sync-0`, and `db-check-0` on SQLite. Everything here may be called from
/// any thread.
class Database {
 public:
  /// Opens or creates it, and brings the schema up to the last of `migrations`. A database with more migrations than we
  /// know was written by a newer version: failed_precondition, naming both numbers.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options,
                                                const std::vector<Migration>& migrations, Counters& counters);
  /// Waits for what is queued.
  virtual ~Database() = default;

  /// Runs `body` on a reader with one consistent snapshot, which includes every write completed before; waits for a
  /// free reader. Blocks: never on an event loop. Not from inside another read (readers are few).
  virtual Result<void> read(const std::function<Result<void>(Connection&)>& body) = 0;

  /// Queues a write and returns at once. `done` is called exactly once from one of the database's threads, after the
  /// commit (and the sync), and must not block. When the queue is full `done` gets `busy` before this returns. An error
  /// from a commit or sync (full or broken disk, database away) goes to everybody in the group. Writes happen in the
  /// order of their calls on SQLite; on PostgreSQL two that do not wait for each other may swap.
  virtual void write(Durability durability, Write body, Completion done) = 0;

  /// As write(), waiting for the end. Never on an event loop or a writer's thread.
  Result<void> write(Durability durability, Write body);

  /// `body`'s value, from a reader.
  template <typename Body>
  auto read_value(Body body) -> std::invoke_result_t<Body, Connection&> {
    std::optional<std::invoke_result_t<Body, Connection&>> out;
    TRY(read([&](Connection& connection) -> Result<void> {
      out.emplace(body(connection));
      if (!out->ok()) return out->error();
      return {};
    }));
    return std::move(*out);
  }
  /// `body`'s value, once it is durable.
  template <typename Body>
  auto write_value(Durability durability, Body body) -> std::invoke_result_t<Body, Connection&> {
    std::optional<std::invoke_result_t<Body, Connection&>> out;
    TRY(write(durability, Write([&](Connection& connection) -> Result<void> {
                out.emplace(body(connection));
                if (!out->ok()) return out->error();
                return {};
              })));
    return std::move(*out);
  }

  /// A consistent copy of the whole database while it runs, as one SQLite file at `path`, whichever database this is.
  /// already_exists when `path` does; on failure nothing of it stays. May take minutes.
  virtual Result<void> backup(const std::filesystem::path& path) = 0;
  /// How large the database is: about what backup() will write.
  virtual Result<std::uint64_t> bytes() = 0;
  virtual bool is_postgres() const = 0;
};

/// Puts what backup() wrote to `file` where `url` says, for a server that will open it: as a new file (which takes the
/// place of one that is there), or into an empty PostgreSQL database. `scratch` is a folder for a temporary copy. A
/// file that is damaged is data_loss; one of a newer version, or a PostgreSQL that holds something,
/// failed_precondition.
Result<void> restore_database(const std::filesystem::path& file, const std::string& url,
                              const std::filesystem::path& scratch, const std::vector<Migration>& migrations);

/// The schema of Slipway, compiled in from src/catalog/schema/*.sql in the order of their numbers.
const std::vector<Migration>& schema();

}  // namespace slipway::catalog

#include "catalog/sqlite_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cmath>
#include <mutex>

#include "base/check.h"
#include "base/text.h"
#include "catalog/sqlite_log_file.h"

namespace slipway::catalog {
namespace {

constexpr int kBusyTimeoutMs = 5000;

ErrorCode code_of(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return ErrorCode::already_exists;
    default: break;
  }
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT: return ErrorCode::failed_precondition;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL: return ErrorCode::busy;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return ErrorCode::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::data_loss;
    case SQLITE_TOOBIG: return ErrorCode::too_large;
    default: return ErrorCode::internal;
  }
}

const char* what_to_do(int extended) {
  switch (extended & 0xff) {
    case SQLITE_FULL: return "; the disk is full: make room and try again";
    case SQLITE_BUSY: return "; another program holds the database: try again later";
    case SQLITE_IOERR: return "; the disk does not answer as it should: look at the system's log";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "; restore a backup";
    default: return "";
  }
}

class SqliteRow : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement), columns_(sqlite3_column_count(statement)) {}

  bool is_null(int column) const override { return sqlite3_value_type(value(column)) == SQLITE_NULL; }
  std::int64_t integer(int column) const override {
    sqlite3_value* const found = value(column);
    require(column, sqlite3_value_type(found), SQLITE_INTEGER, "an integer");
    return sqlite3_value_int64(found);
  }
  double number(int column) const override {
    sqlite3_value* const found = value(column);
    const int type = sqlite3_value_type(found);
    if (type != SQLITE_INTEGER) require(column, type, SQLITE_FLOAT, "a number");
    return sqlite3_value_double(found);
  }
  std::string_view text(int column) const override {
    sqlite3_value* const found = value(column);
    require(column, sqlite3_value_type(found), SQLITE_TEXT, "a text");
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(found));
    return bytes ? std::string_view(bytes, static_cast<size_t>(sqlite3_value_bytes(found))) : std::string_view();
  }
  std::string_view blob(int column) const override {
    sqlite3_value* const found = value(column);
    require(column, sqlite3_value_type(found), SQLITE_BLOB, "bytes");
    const auto* bytes = static_cast<const char*>(sqlite3_value_blob(found));
    return bytes ? std::string_view(bytes, static_cast<size_t>(sqlite3_value_bytes(found))) : std::string_view();
  }

 private:
  /// Looked up once for its type and its content; not protected, which is right while one thread uses the connection.
  sqlite3_value* value(int column) const {
    CHECK(column >= 0 && column < columns_, "there is no column " + std::to_string(column) + where());
    return sqlite3_column_value(statement_, column);
  }
  std::string where() const { return std::string(" in the result of: ") + shown(sqlite3_sql(statement_)); }
  void require(int column, int found, int type, const char* wanted) const {
    CHECK(found == type || found == SQLITE_NULL,
          "column " + std::to_string(column) + " was read as " + wanted + where());
  }

  sqlite3_stmt* statement_;
  const int columns_;
};

int bind_one(sqlite3_stmt* statement, int at, const Value& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int at;
    int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, at); }
    int operator()(std::int64_t v) const { return sqlite3_bind_int64(statement, at, v); }
    int operator()(double v) const { return sqlite3_bind_double(statement, at, v); }  // NaN becomes NULL
    // Static: the values outlive the statement's run, which ends with the bindings cleared.
    int operator()(const std::string& v) const {
      return sqlite3_bind_text64(statement, at, v.data(), v.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(const Blob& v) const {
      if (v.bytes.empty()) return sqlite3_bind_zeroblob(statement, at, 0);
      return sqlite3_bind_blob64(statement, at, v.bytes.data(), v.bytes.size(), SQLITE_STATIC);
    }
  };
  return std::visit(Binder{statement, at}, value);
}

}  // namespace

struct SqliteConnection::Statement {
  sqlite3_stmt* handle = nullptr;
  bool in_use = false;

  ~Statement() { sqlite3_finalize(handle); }
};

/// A prepared statement lent to one run(): reset when given back, and finalized when it was not from the cache.
class SqliteConnection::Use {
 public:
  Use(Statement* cached, std::unique_ptr<Statement> own) : cached_(cached), own_(std::move(own)) {
    if (cached_) cached_->in_use = true;
  }
  Use(Use&& other) noexcept : cached_(std::exchange(other.cached_, nullptr)), own_(std::move(other.own_)) {}
  ~Use() {
    if (!cached_) return;
    sqlite3_reset(cached_->handle);
    sqlite3_clear_bindings(cached_->handle);
    cached_->in_use = false;
  }
  sqlite3_stmt* handle() const { return cached_ ? cached_->handle : own_->handle; }

 private:
  Statement* cached_;
  std::unique_ptr<Statement> own_;
};

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::filesystem::path& path, Mode mode) {
  static std::once_flag configured;
  // Memory statistics cost a global lock at every allocation, and nobody reads them.
  std::call_once(configured, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });

  std::unique_ptr<SqliteConnection> connection(new SqliteConnection);
  const int access = mode == Mode::reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // No mutex: a connection has one user at a time.
  const char* const vfs = mode == Mode::writer ? gathering_vfs() : nullptr;
  if (sqlite3_open_v2(path.c_str(), &connection->db_, access | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK) {
    return context(connection->error(""), "while opening " + path.string());
  }
  sqlite3_extended_result_codes(connection->db_, 1);
  sqlite3_busy_timeout(connection->db_, kBusyTimeoutMs);
  // LIKE compares case, as on PostgreSQL. Checkpoints are the business of db-check-0, never of a commit.
  std::string settings =
      "PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;"
      "PRAGMA cache_size = -8192;";
  if (mode == Mode::reader) {
    settings += "PRAGMA query_only = ON;";
  } else {
    // Some systems' SQLite writes zeros over every page that becomes free, which here doubles the cost of a log that is
    // emptied all the time; FAST does so only where a page is written anyway.
    settings +=
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864;"
        "PRAGMA secure_delete = FAST;";
  }
  auto set = connection->execute(settings);
  if (!set.ok()) return context(std::move(set).error(), "while opening " + path.string());
  return connection;
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close(db_);
}

Error SqliteConnection::error(std::string_view sql) const {
  if (!db_) return Error{ErrorCode::internal, "SQLite found no memory for a connection"};
  const int extended = sqlite3_extended_errcode(db_);
  const std::string statement = sql.empty() ? "" : fmt::format(" ({})", shown(sql));
  return Error{code_of(extended),
               fmt::format("the database answered '{}'{}{}", sqlite3_errmsg(db_), what_to_do(extended), statement)};
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

Result<void> SqliteConnection::execute(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error(sql);
  return {};
}

Result<std::unique_ptr<SqliteConnection::Statement>> SqliteConnection::compile(std::string_view sql) {
  auto statement = std::make_unique<Statement>();
  const char* rest = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement->handle,
                         &rest) != SQLITE_OK) {
    return error(sql);
  }
  const std::string_view left = trim(std::string_view(rest, static_cast<size_t>(sql.data() + sql.size() - rest)));
  if (!statement->handle || !left.empty()) {
    return Error{ErrorCode::internal, fmt::format("expected exactly one statement, found: {}", shown(sql))};
  }
  return statement;
}

Result<SqliteConnection::Use> SqliteConnection::prepare(std::string_view sql) {
  const auto found = statements_.find(sql);
  // A statement met again while its own rows are being read needs a second copy.
  if (found != statements_.end() && found->second->in_use) return Use(nullptr, TRY(compile(sql)));
  if (found != statements_.end()) return Use(found->second.get(), nullptr);
  if (statements_.size() >= kStatementsMax)
    std::erase_if(statements_, [](const auto& entry) { return !entry.second->in_use; });
  auto statement = TRY(compile(sql));
  Statement* kept = statement.get();
  statements_.emplace(std::string(sql), std::move(statement));
  return Use(kept, nullptr);
}

Result<std::int64_t> SqliteConnection::run(std::string_view sql, const Values& values,
                                           const std::function<bool(const Row&)>& on_row) {
  TRY(check_values(sql, values));
  const Use use = TRY(prepare(sql));
  sqlite3_stmt* statement = use.handle();
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(values.size())) {
    return Error{ErrorCode::internal, fmt::format("{} values were given for the {} placeholders of: {}", values.size(),
                                                  sqlite3_bind_parameter_count(statement), shown(sql))};
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (bind_one(statement, static_cast<int>(i) + 1, values[i]) != SQLITE_OK) return error(sql);
  }
  const bool reads_only = sqlite3_stmt_readonly(statement) != 0;
  const std::int64_t before = sqlite3_total_changes64(db_);
  const SqliteRow row(statement);
  bool wanted = true;
  while (true) {
    const int step = sqlite3_step(statement);
    if (step == SQLITE_DONE) break;
    if (step != SQLITE_ROW) return error(sql);
    if (wanted && on_row) wanted = on_row(row);
    // A statement that writes runs to its end even when its rows are no longer wanted.
    if (!wanted && reads_only) return 0;
  }
  if (reads_only || sqlite3_total_changes64(db_) == before) return 0;
  return sqlite3_changes64(db_);
}

}  // namespace slipway::catalog

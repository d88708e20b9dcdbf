// The database of a backup, put where a server will look for it. The backup holds one SQLite file, whichever database
// it was made from; here it becomes the database that the new server is to have.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "catalog/copy_rows.h"
#include "catalog/migrate.h"
#include "catalog/postgres_schema.h"
#include "catalog/sqlite_connection.h"

namespace slipway::catalog {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

Result<void> copy_bytes(const std::filesystem::path& from, const std::filesystem::path& to) {
  const UniqueFd source = TRY(open_file(from, O_RDONLY));
  const UniqueFd target = TRY(open_file(to, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const ssize_t n = ::read(source.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", from, errno);
    if (n == 0) return sync_file(target.get(), to);
    TRY(write_all(target.get(), {piece.data(), static_cast<size_t>(n)}, to));
  }
}

void remove_quietly(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code ignored;
    std::filesystem::remove(path.string() + suffix, ignored);
  }
}

/// A private copy of the backup's file, whole and of a schema that we know; brought up to ours when `up_to_date`.
Result<void> make_checked_copy(const std::filesystem::path& file, const std::filesystem::path& copy,
                               const std::vector<Migration>& migrations, bool up_to_date) {
  remove_quietly(copy);
  TRY(copy_bytes(file, copy));
  const auto sqlite = TRY(SqliteConnection::open(copy, SqliteConnection::Mode::writer));
  const auto found =
      TRY(sqlite->first("PRAGMA quick_check(1)", {}, [](const Row& row) { return std::string(row.text(0)); }));
  if (found != "ok")
    return Error{ErrorCode::data_loss, fmt::format("{} is damaged ({}); restore another backup", file.string(),
                                                   found.value_or("it is empty"))};
  const auto state = TRY(schema_state(*sqlite, migrations, "BEGIN IMMEDIATE"));
  if (state.newest_applied == 0)
    return Error{ErrorCode::invalid_argument, file.string() + " is no database of Slipway"};
  if (up_to_date) TRY(migrate(*sqlite, migrations, "BEGIN IMMEDIATE", system_clock().now()));
  return {};
}

Result<void> check_empty(Session& postgres) {
  const auto tables = TRY(postgres.first("SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()", {},
                                         [](const Row& row) { return row.integer(0); }));
  if (tables == 0 || TRY(is_half_restored(postgres))) return {};
  return Error{
      ErrorCode::failed_precondition,
      "the database that --database names holds tables already; make an empty one (createdb) and restore into that"};
}

Result<void> fill_postgres(const std::filesystem::path& copy, const std::string& url,
                           const std::vector<Migration>& migrations) {
  const auto sqlite = TRY(SqliteConnection::open(copy, SqliteConnection::Mode::reader));
  const auto postgres = TRY(PostgresConnection::open(url));
  TRY(check_empty(*postgres));
  // From here on until everything is in it, nobody takes it for a database to work with.
  TRY(postgres->execute(std::string("CREATE TABLE IF NOT EXISTS ") + kHalfRestoredTable + " (nothing SMALLINT)"));
  TRY(prepare_postgres_schema(*postgres, migrations));
  TRY(sqlite->execute("BEGIN"));
  TRY(postgres->execute("BEGIN"));
  TRY(copy_rows(*sqlite, *postgres, TRY(tables_of(*sqlite))));
  TRY(postgres->execute(std::string("DROP TABLE ") + kHalfRestoredTable));
  return postgres->commit();
}

}  // namespace

Result<void> restore_database(const std::filesystem::path& file, const std::string& url,
                              const std::filesystem::path& scratch, const std::vector<Migration>& migrations) {
  if (url.starts_with("sqlite:")) {
    const std::filesystem::path path = url.substr(std::string_view("sqlite:").size());
    const std::filesystem::path unfinished = path.string() + ".restoring";
    TRY(make_checked_copy(file, unfinished, migrations, false));
    for (const char* suffix : {"-wal", "-shm"}) {
      std::error_code ignored;
      std::filesystem::remove(path.string() + suffix, ignored);
    }
    if (::rename(unfinished.c_str(), path.c_str()) != 0) return system_error("put the database to", path, errno);
    return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  }
  const std::filesystem::path copy = scratch / "restoring.db";
  auto filled = make_checked_copy(file, copy, migrations, true);
  if (filled.ok()) filled = fill_postgres(copy, url, migrations);
  remove_quietly(copy);
  return filled;
}

}  // namespace slipway::catalog

#include "catalog/backup_file.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "base/file.h"
#include "base/random.h"

namespace slipway::catalog {
namespace {

constexpr int kPagesPerStep = 2'000;

void remove_sqlite(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(path.string() + suffix, ignored);
  }
}

/// Copies the snapshot that `source` holds; its error is the target's, or for a source that cannot be read, the
/// source's.
Result<void> copy_pages(SqliteConnection& source, SqliteConnection& target) {
  sqlite3_backup* copy = sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
  if (!copy) return target.error("");
  int step = SQLITE_OK;
  while (step == SQLITE_OK || step == SQLITE_BUSY || step == SQLITE_LOCKED)
    step = sqlite3_backup_step(copy, kPagesPerStep);
  if (sqlite3_backup_finish(copy) != SQLITE_OK) return target.error("");
  return {};
}

}  // namespace

Result<void> make_backup_file(const std::filesystem::path& path,
                              const std::function<Result<void>(const std::filesystem::path&)>& fill) {
  if (std::filesystem::exists(path)) {
    return Error{ErrorCode::already_exists, "cannot back up to " + path.string() + ": it exists; name a new file"};
  }
  const std::filesystem::path unfinished = path.string() + ".unfinished-" + random_hex(6);
  const auto make = [&]() -> Result<void> {
    // Made by us first, so that nobody else may read it: it holds what the database holds.
    (void)TRY(open_file(unfinished, O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(fill(unfinished));
    const UniqueFd file = TRY(open_file(unfinished, O_RDONLY));
    TRY(sync_file(file.get(), unfinished));
    std::error_code problem;
    std::filesystem::rename(unfinished, path, problem);
    if (problem) return system_error("put the backup to", path, problem.value());
    return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  };
  auto made = make();
  if (made.ok()) return made;
  remove_sqlite(unfinished);
  return context(std::move(made).error(), "while backing up to " + path.string());
}

Result<void> copy_sqlite(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto source = TRY(SqliteConnection::open(from, SqliteConnection::Mode::reader));
  TRY(source->execute("BEGIN; SELECT COUNT(*) FROM sqlite_schema"));
  const auto target = TRY(SqliteConnection::open(to, SqliteConnection::Mode::writer));
  return copy_pages(*source, *target);
}

}  // namespace slipway::catalog

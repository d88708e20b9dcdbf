// A copy of a database as one SQLite file, which is there whole or not at all.
#pragma once

#include <filesystem>
#include <functional>

#include "catalog/sqlite_connection.h"

namespace slipway::catalog {

/// Lets `fill` write a file beside `path` (made by us first, for us alone), syncs it and gives it its name. When
/// anything fails, nothing of it stays. already_exists when `path` is taken.
Result<void> make_backup_file(const std::filesystem::path& path,
                              const std::function<Result<void>(const std::filesystem::path& unfinished)>& fill);

/// The state of the SQLite database `from` at this moment, copied into the empty file `to`; its writer goes on
/// meanwhile.
Result<void> copy_sqlite(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace slipway::catalog

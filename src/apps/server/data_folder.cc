#include "data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace slipway::server {
namespace {

Result<void> check_format(const std::filesystem::path& folder) {
  const auto path = folder / "format";
  const auto text = read_file(path, 64);
  if (!text.ok()) {
    if (text.error().code != ErrorCode::not_found) return text.error();
    return write_file_atomic(path, std::to_string(DataFolder::kFormat) + "\n");
  }
  const auto format = parse_i64(trim(*text));
  if (!format)
    return Error{ErrorCode::failed_precondition, path.string() + " should hold a number and holds '" +
                                                     clean_utf8(trim(*text), 40) +
                                                     "'; is this a data folder of Slipway?"};
  if (*format > DataFolder::kFormat) {
    return Error{ErrorCode::failed_precondition,
                 "the data folder " + folder.string() + " has format " + std::to_string(*format) +
                     ", written by a newer version of Slipway; this one knows format " +
                     std::to_string(DataFolder::kFormat) +
                     ". Start the newer version, or restore a backup made before the upgrade"};
  }
  return {};
}

/// The folder's lock file, open; the folder is made when it is missing.
Result<UniqueFd> open_lock(const std::filesystem::path& folder) {
  const auto open = [&]() -> Result<UniqueFd> {
    TRY(make_directories(folder));
    return open_file(folder / "lock", O_RDWR | O_CREAT, 0600);
  };
  auto lock = open();
  if (lock.ok()) return lock;
  return Error{lock.error().code, lock.error().message + "; name with --data a folder that this user may write to"};
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::filesystem::path& path, Use use) {
  UniqueFd lock = TRY(open_lock(path));
  const auto folder = std::filesystem::absolute(path).lexically_normal();
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_file(folder / "lock", 64);
    return Error{ErrorCode::failed_precondition,
                 "another server uses the data folder " + folder.string() +
                     (holder.ok() ? " (process " + std::string(trim(*holder)) + ")" : "") +
                     "; stop it first, or name another folder with --data"};
  }
  if (use == Use::serve && std::filesystem::exists(folder / kRestoring)) {
    return Error{
        ErrorCode::failed_precondition,
        "the data folder " + folder.string() +
            " holds a backup that was restored half-way; run the same `slipway restore` again to its end, or remove the folder"};
  }
  TRY(check_format(folder));
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) != 0) return system_error("write", folder / "lock", errno);
  TRY(write_all(lock.get(), pid, folder / "lock"));
  return DataFolder(folder, std::move(lock));
}

}  // namespace slipway::server

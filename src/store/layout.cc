#include "store/layout.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/random.h"
#include "base/text.h"

namespace slipway::store {
namespace fs = std::filesystem;
namespace {

const std::string kFormatPrefix = "slipway-store ";
constexpr std::string_view kLockName = "lock";

Result<void> check_format(const fs::path& file) {
  const std::string text = TRY(read_file(file, 100));
  const auto version =
      text.starts_with(kFormatPrefix) ? parse_i64(trim(text.substr(kFormatPrefix.size()))) : std::nullopt;
  if (!version) {
    return Error{ErrorCode::failed_precondition,
                 file.string() + " does not name a format of a store; is this the right folder?"};
  }
  if (*version > kFormatVersion) {
    return Error{ErrorCode::failed_precondition, "the store " + file.parent_path().string() + " has format " +
                                                     std::to_string(*version) + "; this program knows formats up to " +
                                                     std::to_string(kFormatVersion) + ", use a newer one"};
  }
  return {};
}

Result<void> make_shards(const Layout& layout) {
  // The last one is made last: when it is there, all are.
  if (fs::exists(layout.shard(kShards - 1))) return {};
  for (int i = 0; i < kShards; ++i) TRY(make_directories(layout.shard(i)));
  return sync_directory(layout.folder() / "blobs");
}

/// A lock nobody else holds, or nullopt when its owner lives.
Result<std::optional<UniqueFd>> take_lock(const fs::path& file, int flags) {
  UniqueFd fd = TRY(open_file(file, flags, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(fd));
  if (errno == EWOULDBLOCK) return std::optional<UniqueFd>();
  return system_error("lock", file, errno);
}

}  // namespace

Result<Layout> Layout::open(const fs::path& folder) {
  Layout layout(folder);
  TRY(make_directories(folder / "blobs"));
  TRY(make_directories(layout.uploads()));
  const fs::path format = folder / "format";
  if (fs::exists(format)) {
    TRY(check_format(format));
  } else {
    TRY(write_file_atomic(format, kFormatPrefix + std::to_string(kFormatVersion) + "\n"));
  }
  TRY(make_shards(layout));
  return layout;
}

fs::path Layout::shard(int number) const {
  const unsigned char byte = static_cast<unsigned char>(number);
  return folder_ / "blobs" / to_hex({&byte, 1});
}

fs::path Layout::blob_in(const fs::path& folder, const Hash& hash) {
  const std::string hex = render(hash);
  return folder / "blobs" / hex.substr(0, 2) / hex.substr(2);
}

std::optional<Hash> Layout::hash_of_name(std::string_view shard, std::string_view file) {
  const auto hash = parse_hash(std::string(shard) + std::string(file));
  return hash.ok() ? std::optional(*hash) : std::nullopt;
}

Result<UploadFolder> UploadFolder::create(const Layout& layout) {
  // Whoever removes leftovers may take the folder between our mkdir and our lock; then we make another.
  for (int attempt = 0; attempt < 10; ++attempt) {
    const fs::path path = layout.uploads() / random_hex(8);
    TRY(make_directories(path));
    auto lock = take_lock(path / kLockName, O_RDWR | O_CREAT);
    struct stat info {};
    if (lock.ok() && *lock && ::stat((path / kLockName).c_str(), &info) == 0)
      return UploadFolder(path, std::move(**lock));
  }
  return Error{ErrorCode::internal, "cannot keep a folder for uploads in " + layout.uploads().string() +
                                        ": it is removed each time it is made"};
}

UploadFolder::~UploadFolder() {
  if (!lock_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Result<Leftovers> remove_leftovers(const Layout& layout, bool dry_run) {
  Leftovers found;
  std::error_code problem;
  for (const fs::directory_entry& folder : fs::directory_iterator(layout.uploads(), problem)) {
    const auto lock = take_lock(folder.path() / kLockName, O_RDWR | O_CREAT);
    if (!lock.ok() || !*lock) continue;  // vanished, or its process lives
    ++found.folders;
    std::error_code ignored;
    for (const fs::directory_entry& file : fs::directory_iterator(folder.path(), ignored)) {
      if (file.path().filename() != kLockName) ++found.files;
    }
    if (!dry_run) fs::remove_all(folder.path(), ignored);
  }
  if (problem) return system_error("list", layout.uploads(), problem.value());
  return found;
}

}  // namespace slipway::store

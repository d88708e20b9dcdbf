// Where things lie in a store's folder:
//
//   format                 "slipway-store 1"
//   blobs/ab/cdef…         one file per blob, read-only, named by its hash; its mtime is when its lease was last
//   renewed uploads/<random>/      files on their way in, of one process; `lock` in it is held while that process lives
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/hash.h"
#include "base/result.h"

namespace slipway::store {

inline constexpr int kFormatVersion = 1;
inline constexpr int kShards = 256;

class Layout {
 public:
  /// Makes the folders, or checks the version of what is there.
  static Result<Layout> open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path uploads() const { return folder_ / "uploads"; }
  std::filesystem::path shard(int number) const;
  std::filesystem::path shard(const Hash& hash) const { return shard(hash.bytes[0]); }
  std::filesystem::path blob(const Hash& hash) const { return blob_in(folder_, hash); }
  /// Where the store in `folder` has that blob, without a look at the folder.
  static std::filesystem::path blob_in(const std::filesystem::path& folder, const Hash& hash);
  /// The inverse of blob(), from the names of the shard and of the file in it; nullopt for what is no blob.
  static std::optional<Hash> hash_of_name(std::string_view shard, std::string_view file);

 private:
  explicit Layout(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

/// The folder for this process's uploads, with its lock held. Removed with everything in it when its owner goes.
class UploadFolder {
 public:
  static Result<UploadFolder> create(const Layout& layout);
  UploadFolder(UploadFolder&&) = default;
  ~UploadFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  UploadFolder(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  UniqueFd lock_;
};

struct Leftovers {
  std::uint64_t folders = 0, files = 0;
};

/// Removes the upload folders of processes that are gone (with dry_run only counts them).
Result<Leftovers> remove_leftovers(const Layout& layout, bool dry_run);

}  // namespace slipway::store

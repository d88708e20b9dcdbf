// The node's cache: whole files by hash, kept between runs, given to each run as its own.
//
// A run gets reflinks (copy on write; nothing is copied, and what the run does to its file never reaches the cache) or,
// where the file system cannot, copies. Hard links and bind mounts are not used: a run may be root, or the cache's own
// user, and either can make a shared inode writable and change it under every later run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "domain/tree.h"
#include "runner/link.h"

namespace slipway::runner {

/// Safe between processes: files appear by rename, complete; whoever removes one only costs a fetch.
class FileCache {
 public:
  static Result<FileCache> open(const std::filesystem::path& folder);

  /// Makes sure that the blobs are here, asking `link` for those that are not. Small ones travel together.
  Result<void> fetch(Link& link, std::vector<std::pair<Hash, std::uint64_t>> wanted);
  /// The bytes of one blob (a tree), fetched when needed.
  Result<std::string> bytes(Link& link, const Hash& hash);
  /// Puts the blob, which is here, at `path` with `mode`.
  Result<void> place(const Hash& hash, const std::filesystem::path& path, int mode);

  /// Removes the files used longest ago until at most `bytes_max` are left; files used after `keep_since` stay. Answers
  /// the bytes removed.
  Result<std::uint64_t> trim(std::uint64_t bytes_max, Time keep_since);

 private:
  explicit FileCache(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path path_of(const Hash& hash) const;
  bool contains(const Hash& hash) const;
  Result<void> store(const Hash& hash, std::string_view bytes);
  Result<void> fetch_large(Link& link, const Hash& hash);

  std::filesystem::path folder_;
};

/// Makes `folder` the tree's directory, file by file out of the cache. Links are made last, so nothing is written
/// through one. Read-only: files 0444 and folders 0555; else as a working copy (0644/0755).
Result<void> lay_out(FileCache& cache, Link& link, const Tree& tree, const std::filesystem::path& folder,
                     bool read_only);

/// remove_all that also takes read-only folders.
void remove_folder(const std::filesystem::path& folder);

}  // namespace slipway::runner

// Files: descriptors that close themselves, whole-file helpers, and the two operations durability rests on:
// "sync, then rename" and "link if absent".
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway {

/// A file descriptor that is closed with its owner.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

/// An Error that says what was attempted on which file and what the system answered (errno).
/// ENOENT -> not_found, EEXIST -> already_exists, EACCES -> permission_denied, ENOSPC/EDQUOT -> busy, else internal.
Error system_error(std::string_view attempted, const std::filesystem::path& path, int error_number);

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, int mode = 0666);
Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max = UINT64_MAX);
Result<void> write_all(int fd, std::string_view bytes, const std::filesystem::path& name_for_errors);

/// Replaces `path` in one step: written beside it, synced, renamed, directory synced. Readers see old or new.
Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view bytes, int mode = 0666);
Result<void> sync_file(int fd, const std::filesystem::path& name_for_errors);
Result<void> sync_directory(const std::filesystem::path& path);
Result<void> make_directories(const std::filesystem::path& path);

/// Free bytes for an unprivileged writer on the file system that holds `path`.
Result<std::uint64_t> free_disk_bytes(const std::filesystem::path& path);

/// A fresh empty directory that is removed with everything in it when its owner goes.
class TemporaryDirectory {
 public:
  /// Under $TMPDIR or /tmp; dies when that is impossible (tests and the runner's scratch use this).
  explicit TemporaryDirectory(std::string_view prefix = "slipway");
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace slipway

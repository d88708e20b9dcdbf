#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/check.h"
#include "base/random.h"

namespace slipway {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int UniqueFd::release() { return std::exchange(fd_, -1); }

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Error system_error(std::string_view attempted, const std::filesystem::path& path, int error_number) {
  ErrorCode code = ErrorCode::internal;
  if (error_number == ENOENT || error_number == ENOTDIR) code = ErrorCode::not_found;
  if (error_number == EEXIST) code = ErrorCode::already_exists;
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS) code = ErrorCode::permission_denied;
  if (error_number == ENOSPC || error_number == EDQUOT) code = ErrorCode::busy;
  return Error{code, "cannot " + std::string(attempted) + " " + path.string() + ": " +
                         std::generic_category().message(error_number)};
}

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, int mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return system_error("open", path, errno);
  return UniqueFd(fd);
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  const UniqueFd file = TRY(open_file(path, O_RDONLY));
  std::string bytes;
  char buffer[65536];
  while (true) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(n) > bytes_max) {
      return Error{ErrorCode::too_large, path.string() + " is larger than " + std::to_string(bytes_max) + " bytes"};
    }
    bytes.append(buffer, static_cast<size_t>(n));
  }
}

/// Given to write(2) at once. A kernel whose cache holds files in large pieces copies as much in one go, and a copy
/// that does not fit the core's own cache was measured to be three times as slow.
constexpr size_t kWriteBytesMax = 256 << 10;

Result<void> write_all(int fd, std::string_view bytes, const std::filesystem::path& name_for_errors) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kWriteBytesMax));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", name_for_errors, errno);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view bytes, int mode) {
  const std::filesystem::path temporary = path.string() + ".tmp-" + random_hex(6);
  const auto fill = [&]() -> Result<void> {
    const UniqueFd file = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
    TRY(write_all(file.get(), bytes, temporary));
    TRY(sync_file(file.get(), temporary));
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("replace", path, errno);
    return {};
  };
  const Result<void> filled = fill();
  if (!filled.ok()) {
    ::unlink(temporary.c_str());
    return filled.error();
  }
  return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

Result<void> sync_file(int fd, const std::filesystem::path& name_for_errors) {
  if (::fdatasync(fd) != 0) return system_error("sync", name_for_errors, errno);
  return {};
}

Result<void> sync_directory(const std::filesystem::path& path) {
  const UniqueFd directory = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(directory.get()) != 0) return system_error("sync", path, errno);
  return {};
}

Result<void> make_directories(const std::filesystem::path& path) {
  std::error_code problem;
  std::filesystem::create_directories(path, problem);
  if (problem) return system_error("create the folder", path, problem.value());
  return {};
}

Result<std::uint64_t> free_disk_bytes(const std::filesystem::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return system_error("ask for the free space of", path, errno);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

TemporaryDirectory::TemporaryDirectory(std::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base && *base ? base : "/tmp") + "/" + std::string(prefix) + "-XXXXXX";
  CHECK(::mkdtemp(pattern.data()) != nullptr, "cannot create a temporary folder like " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace slipway

#include "runner/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "base/file.h"
#include "base/random.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSmallBytes = 256 << 10;  // below it blobs travel together
constexpr std::uint64_t kBatchBytesMax = 8 << 20;
constexpr size_t kBatchBlobsMax = 1000;

/// Copies inside the kernel where it can; the fallback works between any file systems.
Result<void> copy_bytes(int from, int to, const fs::path& name) {
  while (true) {
    const ssize_t n = ::copy_file_range(from, nullptr, to, nullptr, size_t{1} << 30, 0);
    if (n == 0) return {};
    if (n < 0 && errno != EINTR) break;
  }
  if (errno != EXDEV && errno != ENOSYS && errno != EINVAL && errno != EOPNOTSUPP)
    return system_error("copy to", name, errno);
  std::vector<char> buffer(1 << 20);
  while (true) {
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("copy to", name, errno);
    if (n == 0) return {};
    TRY(write_all(to, std::string_view(buffer.data(), static_cast<size_t>(n)), name));
  }
}

}  // namespace

Result<FileCache> FileCache::open(const fs::path& folder) {
  TRY(make_directories(folder));
  return FileCache(folder);
}

fs::path FileCache::path_of(const Hash& hash) const {
  const std::string name = render(hash);
  return folder_ / name.substr(0, 2) / name;
}

bool FileCache::contains(const Hash& hash) const { return ::access(path_of(hash).c_str(), R_OK) == 0; }

Result<void> FileCache::store(const Hash& hash, std::string_view bytes) {
  if (hash_of(bytes) != hash) {
    return Error{ErrorCode::data_loss, fmt::format("the server's bytes for {} do not match their hash", render(hash))};
  }
  const fs::path path = path_of(hash), temporary = path.string() + ".tmp-" + random_hex(6);
  TRY(make_directories(path.parent_path()));
  const UniqueFd file = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0444));
  if (const auto written = write_all(file.get(), bytes, temporary); !written.ok()) {
    ::unlink(temporary.c_str());
    return written.error();
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("put into the cache", path, errno);
  return {};
}

Result<void> FileCache::fetch_large(Link& link, const Hash& hash) {
  const fs::path path = path_of(hash), temporary = path.string() + ".tmp-" + random_hex(6);
  TRY(make_directories(path.parent_path()));
  const UniqueFd file = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0444));
  Hasher hasher;
  Result<void> got = link.read_blob(hash, [&](std::string_view bytes) -> Result<void> {
    hasher.update(bytes);
    return write_all(file.get(), bytes, temporary);
  });
  if (got.ok() && hasher.finish() != hash) {
    got = Error{ErrorCode::data_loss, fmt::format("the server's bytes for {} do not match their hash", render(hash))};
  }
  if (!got.ok()) {
    ::unlink(temporary.c_str());
    return got;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("put into the cache", path, errno);
  return {};
}

Result<void> FileCache::fetch(Link& link, std::vector<std::pair<Hash, std::uint64_t>> wanted) {
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  std::vector<Hash> batch;
  std::uint64_t batch_bytes = 0;
  const auto flush = [&]() -> Result<void> {
    if (batch.empty()) return {};
    TRY(link.read_blobs(batch, [&](const Hash& hash, const std::string& bytes) { return store(hash, bytes); }));
    batch.clear();
    batch_bytes = 0;
    return {};
  };
  for (const auto& [hash, size] : wanted) {
    if (contains(hash)) {
      ::utimensat(AT_FDCWD, path_of(hash).c_str(), nullptr, 0);  // used now: the last to go in trim()
      continue;
    }
    if (size > kSmallBytes) {
      TRY(fetch_large(link, hash));
      continue;
    }
    batch.push_back(hash);
    batch_bytes += size;
    if (batch.size() >= kBatchBlobsMax || batch_bytes >= kBatchBytesMax) TRY(flush());
  }
  return flush();
}

Result<std::string> FileCache::bytes(Link& link, const Hash& hash) {
  if (!contains(hash)) TRY(fetch_large(link, hash));
  std::string bytes = TRY(read_file(path_of(hash)));
  if (hash_of(bytes) != hash) {
    std::error_code ignored;
    fs::remove(path_of(hash), ignored);
    return Error{ErrorCode::data_loss,
                 fmt::format("the cached copy of {} was damaged and has been removed; run again", render(hash))};
  }
  return bytes;
}

Result<void> FileCache::place(const Hash& hash, const fs::path& path, int mode) {
  const UniqueFd from = TRY(open_file(path_of(hash), O_RDONLY));
  const UniqueFd to = TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  if (::ioctl(to.get(), FICLONE, from.get()) != 0) TRY(copy_bytes(from.get(), to.get(), path));
  if (::fchmod(to.get(), static_cast<mode_t>(mode)) != 0) return system_error("set the mode of", path, errno);
  return {};
}

Result<std::uint64_t> FileCache::trim(std::uint64_t bytes_max, Time keep_since) {
  struct Entry {
    std::int64_t used_s;
    std::uint64_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  std::uint64_t bytes = 0, removed = 0;
  std::error_code problem;
  for (fs::recursive_directory_iterator at(folder_, problem), end; !problem && at != end; at.increment(problem)) {
    struct stat info {};
    if (::lstat(at->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    entries.push_back({info.st_mtim.tv_sec, static_cast<std::uint64_t>(info.st_size), at->path()});
    bytes += entries.back().bytes;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used_s < b.used_s; });
  for (const Entry& entry : entries) {
    if (bytes <= bytes_max || entry.used_s >= keep_since.micros / 1'000'000) break;
    std::error_code ignored;
    if (!fs::remove(entry.path, ignored)) continue;
    bytes -= entry.bytes;
    removed += entry.bytes;
  }
  return removed;
}

Result<void> lay_out(FileCache& cache, Link& link, const Tree& tree, const fs::path& folder, bool read_only) {
  std::vector<std::pair<Hash, std::uint64_t>> wanted;
  for (const TreeEntry& entry : tree.entries) wanted.emplace_back(entry.hash, entry.size);
  TRY(cache.fetch(link, std::move(wanted)));
  TRY(make_directories(folder));
  std::set<fs::path> folders = {folder};
  for (const TreeEntry& entry : tree.entries) {
    const fs::path path = folder / entry.path;
    for (fs::path parent = path.parent_path(); folders.insert(parent).second; parent = parent.parent_path()) {
    }
    TRY(make_directories(path.parent_path()));
    if (entry.kind == TreeEntryKind::link) continue;
    const bool executable = entry.kind == TreeEntryKind::executable;
    TRY(cache.place(entry.hash, path, read_only ? (executable ? 0555 : 0444) : (executable ? 0755 : 0644)));
  }
  for (const TreeEntry& entry : tree.entries) {
    if (entry.kind != TreeEntryKind::link) continue;
    const std::string target = TRY(cache.bytes(link, entry.hash));
    const fs::path path = folder / entry.path;
    if (::symlink(target.c_str(), path.c_str()) != 0) return system_error("create the link", path, errno);
  }
  if (!read_only) return {};
  for (const fs::path& each : folders) ::chmod(each.c_str(), 0555);
  return {};
}

void remove_folder(const fs::path& folder) {
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, ignored), end;
       !ignored && at != end; at.increment(ignored)) {
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) ::chmod(at->path().c_str(), 0755);
  }
  ::chmod(folder.c_str(), 0755);
  fs::remove_all(folder, ignored);
}

}  // namespace slipway::runner

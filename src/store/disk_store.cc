#include "store/disk_store.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "store/disk_reader.h"
#include "store/disk_upload.h"

namespace slipway::store {
namespace fs = std::filesystem;
namespace {

constexpr int kBlobMode = 0444;  // nobody changes a blob, not even by mistake
constexpr size_t kCopyBytes = 1 << 20;
constexpr size_t kFoldersSyncedSingly = 4;  // more folders than this are synced through the whole file system

/// Renewing a lease that has this share of its time left would only wear the disk.
constexpr int kLeaseRenewalShare = 24;

timespec timespec_of(Time time) {
  return {static_cast<time_t>(time.micros / 1'000'000), static_cast<long>(time.micros % 1'000'000 * 1000)};
}

std::int64_t mtime_micros(const struct stat& info) {
  return info.st_mtim.tv_sec * std::int64_t{1'000'000} + info.st_mtim.tv_nsec / 1000;
}

Result<void> set_mtime(const fs::path& path, Time time) {
  const timespec times[2] = {timespec_of(time), timespec_of(time)};
  if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) return system_error("renew the lease of", path, errno);
  return {};
}

/// Renames unless `to` exists: false then.
Result<bool> rename_if_absent(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) return system_error("name the blob", to, errno);
  // A file system without it (NFS): a second name, then the first one goes.
  if (::link(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) return false;
    return system_error("name the blob", to, errno);
  }
  ::unlink(from.c_str());
  return true;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const Clock& clock, Counters& counters) {
  return DiskStore::open(options, clock, counters);
}

Result<std::unique_ptr<Store>> DiskStore::open(const StoreOptions& options, const Clock& clock, Counters& counters) {
  Layout layout = TRY(Layout::open(options.folder));
  const Leftovers leftovers = TRY(remove_leftovers(layout, false));
  UploadFolder uploads = TRY(UploadFolder::create(layout));
  std::unique_ptr<DiskStore> store(new DiskStore(options, std::move(layout), std::move(uploads), clock, counters));
  store->folder_fd_ = TRY(open_file(options.folder, O_RDONLY | O_DIRECTORY));
  if (leftovers.folders > 0) {
    log_info("store", "the last owner of this store did not close it; its unfinished uploads were removed",
             {{"folder", options.folder.string()}, {"uploads", std::to_string(leftovers.files)}});
    TRY(store->sync_everything());
  }
  return std::unique_ptr<Store>(std::move(store));
}

DiskStore::DiskStore(const StoreOptions& options, Layout layout, UploadFolder uploads, const Clock& clock,
                     Counters& counters)
    : options_(options),
      layout_(std::move(layout)),
      uploads_(std::move(uploads)),
      clock_(clock),
      blobs_put_(counters.counter("store_blobs_put_total", "Blobs written")),
      bytes_put_(counters.counter("store_put_bytes_total", "Bytes of blobs written")),
      blobs_known_(counters.counter("store_blobs_known_total", "Blobs that were sent and were there already")),
      refused_(counters.counter("store_writes_refused_total", "Writes refused because the disk is nearly full")),
      blobs_swept_(counters.counter("store_blobs_swept_total", "Blobs removed by sweeps")),
      uploads_open_(counters.gauge("store_uploads_open", "Uploads begun and not ended")) {}

// --- files on their way in -----------------------------------------------------------------------------------------

DiskStore::Incoming::~Incoming() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> DiskStore::check_disk() {
  const std::uint64_t free_bytes = TRY(free_disk_bytes(options_.folder));
  if (free_bytes >= options_.disk_free_bytes_min) return {};
  refused_.add();
  return Error{
      ErrorCode::busy,
      fmt::format(
          "the disk that holds {} has {} free, less than the {} that are kept free; remove something, for example with `slipway gc`",
          options_.folder.string(), render_bytes(free_bytes), render_bytes(options_.disk_free_bytes_min))};
}

Result<DiskStore::Incoming> DiskStore::begin_file() {
  const fs::path path = uploads_.path() / std::to_string(next_upload_++);
  return Incoming(path, TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL, kBlobMode)));
}

// --- names ---------------------------------------------------------------------------------------------------------

Result<bool> DiskStore::renew(const Hash& hash, std::optional<std::uint64_t> size) {
  const fs::path path = layout_.blob(hash);
  bool needs_sync = false;
  {
    Shard& shard = shards_[hash.bytes[0]];
    const std::lock_guard lock(shard.mutex);
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
      if (errno == ENOENT) return false;
      return system_error("look at the blob", path, errno);
    }
    // A blob of another size is damaged, and whoever has its bytes may put it again.
    if (size && static_cast<std::uint64_t>(info.st_size) != *size) return false;
    const Time now = clock_.now();
    if (now - Time{mtime_micros(info)} > options_.lease / kLeaseRenewalShare) TRY(set_mtime(path, now));
    needs_sync = shard.unsynced.contains(hash);
  }
  if (needs_sync) TRY(sync_names({&hash, 1}));
  return true;
}

Result<void> DiskStore::give_name(Incoming& file, const Hash& hash, std::uint64_t size) {
  const fs::path path = layout_.blob(hash);
  const Time now = clock_.now();
  TRY(set_mtime(file.path(), now));
  Shard& shard = shards_[hash.bytes[0]];
  const std::lock_guard lock(shard.mutex);
  if (!TRY(rename_if_absent(file.path(), path))) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == size) {
      blobs_known_.add();
      return set_mtime(path, now);  // our copy is removed with `file`
    }
    log_warning("store", "a blob of the wrong size is replaced by what was put now", {{"blob", render(hash)}});
    if (::rename(file.path().c_str(), path.c_str()) != 0) return system_error("replace the damaged blob", path, errno);
  }
  file.named();
  shard.unsynced.insert(hash);
  blobs_put_.add();
  bytes_put_.add(size);
  return {};
}

Result<void> DiskStore::sync_names(std::span<const Hash> hashes) {
  std::set<int> numbers;
  for (const Hash& hash : hashes) numbers.insert(hash.bytes[0]);
  if (numbers.size() > kFoldersSyncedSingly) {
    TRY(sync_everything());
  } else {
    for (const int number : numbers) TRY(sync_directory(layout_.shard(number)));
  }
  for (const Hash& hash : hashes) {
    Shard& shard = shards_[hash.bytes[0]];
    const std::lock_guard lock(shard.mutex);
    shard.unsynced.erase(hash);
  }
  return {};
}

Result<void> DiskStore::sync_everything() {
  if (::syncfs(folder_fd_.get()) != 0) return system_error("sync the file system of", options_.folder, errno);
  return {};
}

// --- in ------------------------------------------------------------------------------------------------------------

Result<BlobInfo> DiskStore::put(std::string_view bytes) {
  const BlobInfo info{hash_of(bytes), bytes.size()};
  if (TRY(renew(info.hash, info.size))) {
    blobs_known_.add();
    return info;
  }
  TRY(check_disk());
  Incoming file = TRY(begin_file());
  TRY(write_all(file.fd(), bytes, file.path()));
  TRY(sync_file(file.fd(), file.path()));
  TRY(give_name(file, info.hash, info.size));
  TRY(sync_names({&info.hash, 1}));
  return info;
}

Result<std::vector<BlobInfo>> DiskStore::put_many(std::span<const std::string_view> contents) {
  if (contents.size() > kPutManyBlobsMax) {
    return Error{ErrorCode::too_large, fmt::format("{} blobs in one batch; at most {} are taken, send several",
                                                   contents.size(), kPutManyBlobsMax)};
  }
  std::vector<BlobInfo> infos;
  std::vector<size_t> absent;
  std::unordered_set<Hash> seen;
  infos.reserve(contents.size());
  for (const std::string_view bytes : contents) {
    infos.push_back({hash_of(bytes), bytes.size()});
    if (!seen.insert(infos.back().hash).second) continue;
    if (TRY(renew(infos.back().hash, bytes.size()))) {
      blobs_known_.add();
    } else {
      absent.push_back(infos.size() - 1);
    }
  }
  if (!absent.empty()) TRY(write_new(contents, infos, absent));
  return infos;
}

Result<void> DiskStore::write_new(std::span<const std::string_view> contents, std::span<const BlobInfo> infos,
                                  std::span<const size_t> positions) {
  TRY(check_disk());
  const bool few = positions.size() <= kFoldersSyncedSingly;
  std::vector<Incoming> files;
  files.reserve(positions.size());
  for (const size_t i : positions) {
    files.push_back(TRY(begin_file()));
    TRY(write_all(files.back().fd(), contents[i], files.back().path()));
    if (few) TRY(sync_file(files.back().fd(), files.back().path()));
    files.back().close();
  }
  if (!few) TRY(sync_everything());
  std::vector<Hash> named;
  for (size_t n = 0; n < positions.size(); ++n) {
    TRY(give_name(files[n], infos[positions[n]].hash, infos[positions[n]].size));
    named.push_back(infos[positions[n]].hash);
  }
  return sync_names(named);
}

Result<std::unique_ptr<Upload>> DiskStore::begin_upload() {
  if (uploads_open_.value() >= static_cast<std::int64_t>(kUploadsOpenMax)) {
    return Error{ErrorCode::busy, fmt::format("{} uploads are under way already; try again later", kUploadsOpenMax)};
  }
  TRY(check_disk());
  return std::unique_ptr<Upload>(std::make_unique<DiskUpload>(*this, TRY(begin_file())));
}

Result<BlobInfo> DiskStore::put_file(const fs::path& path) {
  const UniqueFd source = TRY(open_file(path, O_RDONLY));
  TRY(check_disk());
  Incoming file = TRY(begin_file());
  // A reflink shares the blocks and is hashed after: nobody can change our copy between the two.
  const bool cloned = ::ioctl(file.fd(), FICLONE, source.get()) == 0;
  const int from = cloned ? file.fd() : source.get();
  Hasher hasher;
  BlobInfo info;
  std::string buffer(kCopyBytes, '\0');
  while (true) {
    const ssize_t n = ::pread(from, buffer.data(), buffer.size(), static_cast<off_t>(info.size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) break;
    const std::string_view piece(buffer.data(), static_cast<size_t>(n));
    hasher.update(piece);
    if (!cloned) TRY(write_all(file.fd(), piece, file.path()));
    info.size += piece.size();
  }
  info.hash = hasher.finish();
  if (TRY(renew(info.hash, info.size))) {
    blobs_known_.add();
    return info;
  }
  TRY(sync_file(file.fd(), file.path()));
  TRY(give_name(file, info.hash, info.size));
  TRY(sync_names({&info.hash, 1}));
  return info;
}

// --- out -----------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Reader>> DiskStore::open_blob(const Hash& hash) {
  const fs::path path = layout_.blob(hash);
  auto fd = open_file(path, O_RDONLY);
  if (!fd.ok()) {
    if (fd.error().code == ErrorCode::not_found) return Error{ErrorCode::not_found, "there is no blob " + render(hash)};
    return fd.error();
  }
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0) return system_error("look at the blob", path, errno);
  return std::unique_ptr<Reader>(
      std::make_unique<DiskReader>(path, std::move(*fd), static_cast<std::uint64_t>(info.st_size)));
}

Result<std::string> DiskStore::get(const Hash& hash, std::uint64_t bytes_max) {
  const auto reader = TRY(open_blob(hash));
  if (reader->size() > bytes_max) {
    return Error{ErrorCode::too_large, fmt::format("the blob {} has {} bytes; at most {} are read at once",
                                                   render(hash), reader->size(), bytes_max)};
  }
  std::string bytes = TRY(reader->read(0, reader->size()));
  if (hash_of(bytes) != hash) {
    return Error{ErrorCode::data_loss,
                 "the blob " + render(hash) +
                     " is damaged: its bytes have another hash; restore it from a backup or put it again"};
  }
  return bytes;
}

Result<bool> DiskStore::contains(const Hash& hash) {
  struct stat info {};
  const fs::path path = layout_.blob(hash);
  if (::stat(path.c_str(), &info) == 0) return true;
  if (errno == ENOENT) return false;
  return system_error("look at the blob", path, errno);
}

Result<std::vector<Hash>> DiskStore::missing(std::span<const Hash> hashes) {
  std::vector<Hash> absent;
  for (const Hash& hash : hashes) {
    if (!TRY(renew(hash, std::nullopt))) absent.push_back(hash);
  }
  return absent;
}

Result<void> DiskStore::lease(const Hash& hash) {
  if (!TRY(renew(hash, std::nullopt)))
    return Error{ErrorCode::not_found, "there is no blob " + render(hash) + "; put its bytes first"};
  return {};
}

}  // namespace slipway::store

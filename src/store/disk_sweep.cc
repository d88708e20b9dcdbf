// Removing what nobody refers to, and reading everything to see whether it is still what it was.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "store/disk_reader.h"
#include "store/disk_store.h"

namespace slipway::store {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kVerifyPieceBytes = 1 << 20;
constexpr std::uint64_t kVerifyReportBlobs = 256;

std::int64_t mtime_micros(const struct stat& info) {
  return info.st_mtim.tv_sec * std::int64_t{1'000'000} + info.st_mtim.tv_nsec / 1000;
}

/// The blobs of one shard, by their names alone.
Result<std::vector<Hash>> list_shard(const Layout& layout, int number) {
  std::vector<Hash> hashes;
  std::error_code problem;
  const fs::path folder = layout.shard(number);
  const std::string prefix = folder.filename().string();
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, problem)) {
    if (const auto hash = Layout::hash_of_name(prefix, entry.path().filename().string())) hashes.push_back(*hash);
  }
  if (problem) return system_error("list", folder, problem.value());
  return hashes;
}

Result<bool> is_intact(Store& store, const Hash& hash, std::uint64_t& bytes_read) {
  const auto reader = TRY(store.open_blob(hash));
  Hasher hasher;
  for (std::uint64_t offset = 0; offset < reader->size(); offset += kVerifyPieceBytes) {
    const auto piece = reader->read(offset, kVerifyPieceBytes);
    if (!piece.ok()) return false;  // a disk that cannot read it has damaged it
    hasher.update(*piece);
    bytes_read += piece->size();
  }
  return hasher.finish() == hash;
}

class Pause : public SweepPause {
 public:
  explicit Pause(std::atomic<int>& pauses) : pauses_(pauses) {}
  ~Pause() override { --pauses_; }

 private:
  std::atomic<int>& pauses_;
};

}  // namespace

Result<void> DiskStore::list(const std::function<Result<void>(const BlobInfo&)>& visit) {
  for (int number = 0; number < kShards; ++number) {
    for (const Hash& hash : TRY(list_shard(layout_, number))) {
      struct stat info {};
      if (::stat(layout_.blob(hash).c_str(), &info) != 0) continue;  // swept meanwhile
      TRY(visit({hash, static_cast<std::uint64_t>(info.st_size)}));
    }
  }
  return {};
}

std::unique_ptr<SweepPause> DiskStore::pause_sweeps() {
  const std::lock_guard lock(removing_);
  ++pauses_;
  return std::make_unique<Pause>(pauses_);
}

Result<void> DiskStore::check_not_paused() const {
  if (pauses_ == 0) return {};
  return Error{ErrorCode::busy, "a backup is being taken of what a sweep could remove; try again when it is over"};
}

Result<SweepReport> DiskStore::sweep(const std::function<Result<bool>(const Hash&)>& is_referenced, bool dry_run) {
  if (!dry_run) TRY(check_not_paused());
  SweepReport report;
  report.uploads_removed = TRY(remove_leftovers(layout_, dry_run)).files;
  for (int number = 0; number < kShards; ++number) TRY(sweep_shard(number, is_referenced, dry_run, report));
  if (!dry_run) blobs_swept_.add(report.blobs_removed);
  return report;
}

Result<void> DiskStore::sweep_shard(int number, const std::function<Result<bool>(const Hash&)>& is_referenced,
                                    bool dry_run, SweepReport& report) {
  for (const Hash& hash : TRY(list_shard(layout_, number))) {
    struct stat info {};
    if (::stat(layout_.blob(hash).c_str(), &info) != 0) continue;  // another sweep was faster
    // Who names a blob renews its lease first. So one that is named after we asked has a fresh lease by then, and
    // remove_if_expired() sees it.
    const bool expired = lease_is_over(mtime_micros(info));
    const bool remove = expired && !TRY(is_referenced(hash)) && (dry_run || TRY(remove_if_expired(hash)));
    (remove ? report.blobs_removed : report.blobs_kept) += 1;
    (remove ? report.bytes_removed : report.bytes_kept) += static_cast<std::uint64_t>(info.st_size);
  }
  return {};
}

Result<bool> DiskStore::remove_if_expired(const Hash& hash) {
  const fs::path path = layout_.blob(hash);
  const std::lock_guard removing(removing_);
  TRY(check_not_paused());
  const std::lock_guard lock(shards_[hash.bytes[0]].mutex);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !lease_is_over(mtime_micros(info))) return false;
  if (::unlink(path.c_str()) != 0) return system_error("remove the blob", path, errno);
  return true;
}

Result<VerifyReport> DiskStore::verify(const Progress& progress) {
  VerifyReport report;
  for (int number = 0; number < kShards; ++number) {
    for (const Hash& hash : TRY(list_shard(layout_, number))) {
      const auto intact = is_intact(*this, hash, report.bytes);
      if (!intact.ok() && intact.error().code == ErrorCode::not_found) continue;  // swept meanwhile
      ++report.blobs;
      if (!intact.ok() || !*intact) {
        log_error("store", "a blob is damaged", {{"blob", render(hash)}, {"file", layout_.blob(hash).string()}});
        report.damaged.push_back(hash);
      }
      if (report.blobs % kVerifyReportBlobs == 0 && progress && !progress(report.blobs, report.bytes)) return report;
    }
  }
  if (progress) progress(report.blobs, report.bytes);
  return report;
}

}  // namespace slipway::store

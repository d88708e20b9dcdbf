// The store on a local disk.
//
// A blob's life: its bytes are written to a file in uploads/, that file is synced, renamed to its name unless the name
// is taken, and the folder of the name is synced. put_many() writes all, syncs the file system once, renames all, and
// syncs once more: measured on ext4 that is 5 to 20 times as fast as a sync per file. When the name is taken, the lease
// of what is there is renewed instead.
//
// Why a put that finds its blob present may still have to sync: another put may have given it its name a moment ago and
// not yet have synced the folder. Such names are kept in Shard::unsynced. After a crash we cannot know them, so open()
// syncs the file system when it finds the uploads of a process that did not end well.
//
// Why a sweep cannot take a blob that a put counts on: looking at the lease and removing, and renewing the lease, both
// happen under the lock of the blob's shard.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <unordered_set>

#include "store/layout.h"
#include "store/store.h"

namespace slipway::store {

class DiskStore : public Store {
 public:
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock, Counters& counters);

  Result<BlobInfo> put(std::string_view bytes) override;
  Result<std::vector<BlobInfo>> put_many(std::span<const std::string_view> contents) override;
  Result<std::unique_ptr<Upload>> begin_upload() override;
  Result<BlobInfo> put_file(const std::filesystem::path& path) override;
  Result<std::unique_ptr<Reader>> open_blob(const Hash& hash) override;
  Result<std::string> get(const Hash& hash, std::uint64_t bytes_max) override;
  Result<bool> contains(const Hash& hash) override;
  Result<std::vector<Hash>> missing(std::span<const Hash> hashes) override;
  Result<void> lease(const Hash& hash) override;
  Result<void> list(const std::function<Result<void>(const BlobInfo&)>& visit) override;
  std::unique_ptr<SweepPause> pause_sweeps() override;
  Result<SweepReport> sweep(const std::function<Result<bool>(const Hash&)>& is_referenced, bool dry_run) override;
  Result<VerifyReport> verify(const Progress& progress) override;

 private:
  friend class DiskUpload;

  /// A file in uploads/ that is removed unless it was given a name.
  class Incoming {
   public:
    Incoming(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    Incoming(Incoming&& other) noexcept : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}
    ~Incoming();
    const std::filesystem::path& path() const { return path_; }
    int fd() const { return fd_.get(); }
    void close() { fd_.reset(); }
    void named() { path_.clear(); }  // the file has moved

   private:
    std::filesystem::path path_;
    UniqueFd fd_;
  };

  struct Shard {
    std::mutex mutex;
    std::unordered_set<Hash> unsynced;  // named, folder not yet synced
  };

  DiskStore(const StoreOptions& options, Layout layout, UploadFolder uploads, const Clock& clock, Counters& counters);

  /// busy when the disk is nearly full.
  Result<void> check_disk();
  Result<Incoming> begin_file();
  /// Renews the lease if the blob is there with that size (nullopt: any size). Syncs its name if that is still due.
  Result<bool> renew(const Hash& hash, std::optional<std::uint64_t> size);
  /// Gives a synced file its name. The name is durable after sync_names().
  Result<void> give_name(Incoming& file, const Hash& hash, std::uint64_t size);
  Result<void> sync_names(std::span<const Hash> hashes);
  Result<void> sync_everything();
  /// put_many() for contents whose blobs are absent, by their position.
  Result<void> write_new(std::span<const std::string_view> contents, std::span<const BlobInfo> infos,
                         std::span<const size_t> positions);

  bool lease_is_over(std::int64_t mtime_micros) const { return clock_.now() - Time{mtime_micros} > options_.lease; }
  Result<void> sweep_shard(int number, const std::function<Result<bool>(const Hash&)>& is_referenced, bool dry_run,
                           SweepReport& report);
  Result<bool> remove_if_expired(const Hash& hash);
  /// busy while somebody has paused sweeps.
  Result<void> check_not_paused() const;

  // Constant after construction.
  const StoreOptions options_;
  const Layout layout_;
  const UploadFolder uploads_;
  const Clock& clock_;
  UniqueFd folder_fd_;

  // Lock themselves.
  Counter &blobs_put_, &bytes_put_, &blobs_known_, &refused_, &blobs_swept_;
  Gauge& uploads_open_;
  std::atomic<std::uint64_t> next_upload_{0};
  std::array<Shard, kShards> shards_;
  std::atomic<int> pauses_{0};  // raised with `removing_` held, so that no removal is under way once it is
  std::mutex removing_;
};

}  // namespace slipway::store

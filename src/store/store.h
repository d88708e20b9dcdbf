// The front door of store: immutable bytes by the BLAKE3 hash of their content. It knows nothing of what blobs mean;
// who refers to them is told to sweep() by the room that knows.
//
// Bytes before names: put() returns when the bytes are synced under their hash; only then may a row name them. A crash
// in between leaves an unreferenced blob, which the sweep collects once its lease is over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/hash.h"
#include "base/result.h"

namespace slipway::store {

struct BlobInfo {
  Hash hash;
  std::uint64_t size = 0;
};

/// Bytes on their way in. Dropping it unfinished leaves nothing behind.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual Result<void> write(std::string_view bytes) = 0;
  /// Syncs, links into place, returns the name. The blob is leased for StoreOptions::lease from now on.
  virtual Result<BlobInfo> finish() = 0;
};

/// One blob, open for reading; random access, any thread.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::uint64_t size() const = 0;
  /// Up to `length` bytes from `offset`; short only at the end.
  virtual Result<std::string> read(std::uint64_t offset, std::uint64_t length) const = 0;
  /// A local file that holds exactly these bytes, when the backend has one: callers may link or map it, never write.
  virtual std::optional<std::filesystem::path> local_file() const = 0;
};

struct StoreOptions {
  std::filesystem::path folder;
  Duration lease = std::chrono::hours(24);        // no sweep takes a blob younger than this
  std::uint64_t disk_free_bytes_min = 256 << 20;  // below this writes are refused with `busy`, cleanly
};

struct SweepReport {
  std::uint64_t blobs_kept = 0, bytes_kept = 0;
  std::uint64_t blobs_removed = 0, bytes_removed = 0;  // with dry_run: would be
  std::uint64_t uploads_removed = 0;                   // leftovers of crashed uploads
};

struct VerifyReport {
  std::uint64_t blobs = 0, bytes = 0;
  std::vector<Hash> damaged;
};

/// As long as one lives, no sweep removes anything: whoever copies blobs away finds them where they were listed.
class SweepPause {
 public:
  virtual ~SweepPause() = default;
};

/// Called with progress now and then; false stops early.
using Progress = std::function<bool(std::uint64_t blobs, std::uint64_t bytes)>;

inline constexpr size_t kPutManyBlobsMax = 100'000;  // in one put_many(); past it too_large
inline constexpr size_t kUploadsOpenMax = 1'000;     // unfinished begin_upload()s; past it busy

/// Thread-safe. The folder belongs to one server at a time (whoever opens the data folder sees to that).
class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock, Counters& counters);
  virtual ~Store() = default;

  virtual Result<BlobInfo> put(std::string_view bytes) = 0;
  /// Many small blobs with one sync for all. In the order of `contents`.
  virtual Result<std::vector<BlobInfo>> put_many(std::span<const std::string_view> contents) = 0;
  virtual Result<std::unique_ptr<Upload>> begin_upload() = 0;
  /// Takes a local file's bytes (by reflink or copy).
  virtual Result<BlobInfo> put_file(const std::filesystem::path& path) = 0;

  virtual Result<std::unique_ptr<Reader>> open_blob(const Hash& hash) = 0;
  /// The whole blob, held against its name: data_loss when the bytes on disk are not what was put.
  virtual Result<std::string> get(const Hash& hash, std::uint64_t bytes_max = 64ull << 20) = 0;
  virtual Result<bool> contains(const Hash& hash) = 0;
  /// Which of these are missing: what a client still has to send. Renews the leases of the others, because the client
  /// will rely on them.
  virtual Result<std::vector<Hash>> missing(std::span<const Hash> hashes) = 0;

  /// Renews the lease of a blob that is about to be named (also done by every put of the same bytes).
  virtual Result<void> lease(const Hash& hash) = 0;

  /// Tells `visit` of every blob, in no order; it ends the listing with an error. Blobs put meanwhile may be told or
  /// not.
  virtual Result<void> list(const std::function<Result<void>(const BlobInfo&)>& visit) = 0;

  /// From its return on nothing is removed until what it returned is destroyed; it must not outlive the store.
  virtual std::unique_ptr<SweepPause> pause_sweeps() = 0;
  /// Removes what `is_referenced` denies and no lease protects. Safe beside puts: a blob whose lease is renewed while
  /// this runs stays. busy while sweeps are paused, unless `dry_run`.
  virtual Result<SweepReport> sweep(const std::function<Result<bool>(const Hash&)>& is_referenced, bool dry_run) = 0;
  /// Reads everything and compares with its name.
  virtual Result<VerifyReport> verify(const Progress& progress) = 0;
};

}  // namespace slipway::store

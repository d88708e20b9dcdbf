// The folder that `slipway backup` fills:
//
//   slipway-backup.json   what is in it; written last, so that half a backup is never taken for a whole one
//   database-ID.db        the database as one SQLite file, whichever database the server has
//   blobs-ID.txt          a line "HASH SIZE" for every blob
//   store/                the blobs, in a store as the server has one
//   unfinished            the id of a backup that was begun, as long as it is not over
//   lock
//
// A second backup adds to the store and then replaces the manifest in one step; killed before that, it leaves the
// earlier backup as it was.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/file.h"
#include "base/json.h"
#include "store/store.h"

namespace slipway::cli {

inline constexpr int kBackupFormat = 1;

/// A file of the backup: its bytes can be held against this.
struct FileFacts {
  std::string name;
  std::uint64_t bytes = 0;
  Hash hash;
};

struct Manifest {
  int format = kBackupFormat;
  std::string id, begun_at;  // what the backup holds was there at this time (RFC 3339)
  std::string finished_at;
  std::string version;        // of the server
  std::int64_t schema = 0;    // the number of its last migration
  std::string database_kind;  // what the server had: "sqlite" or "postgresql"
  FileFacts database, blob_list;
  std::uint64_t blobs = 0, bytes = 0;
  std::vector<Hash> damaged;  // blobs the server itself could not read whole, left out when asked to
};

/// Both directions of the text; a format of a newer version is failed_precondition, what is no manifest
/// invalid_argument.
Json render(const Manifest& manifest);
Result<Manifest> parse_manifest(const std::string& text, const std::filesystem::path& name_for_errors);

/// Size and hash of a file, read whole; `seen` is told how many bytes were read.
Result<FileFacts> facts_of(const std::filesystem::path& file, const std::function<void(std::uint64_t)>& seen = nullptr);

using BlobList = std::vector<store::BlobInfo>;  // sorted by hash, each once
std::string render(const BlobList& blobs);
Result<BlobList> parse_blob_list(std::string_view text, std::string_view name_for_errors);
bool holds(const BlobList& blobs, const Hash& hash);

/// The last finished backup of a folder: not_found when there is none, with the reason why.
Result<Manifest> read_manifest(const std::filesystem::path& folder);
/// The list that the manifest names; data_loss when the file is not what it was.
Result<BlobList> read_blob_list(const std::filesystem::path& folder, const Manifest& manifest);
/// Held while a backup is read, so that nothing is taken out of the folder meanwhile. failed_precondition when one is
/// being written to it.
Result<UniqueFd> lock_for_reading(const std::filesystem::path& folder);
/// Where a blob of a backup lies.
std::filesystem::path blob_file(const std::filesystem::path& folder, const Hash& hash);

/// A folder that a backup is written to: ours alone while this lives.
class BackupFolder {
 public:
  /// Makes it when it is missing. failed_precondition when another backup is being written to it, or it holds other
  /// things.
  static Result<BackupFolder> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  store::Store& store() { return *store_; }

  /// The id of a backup that was begun here and did not end; empty for none.
  std::string unfinished() const;
  Result<void> set_unfinished(const std::string& id);
  /// Everything is in place: from now on the folder holds this backup.
  Result<void> finish(const Manifest& manifest, const BlobList& blobs);

 private:
  BackupFolder() = default;
  Result<void> remove_others(const Manifest& manifest, const BlobList& blobs);

  std::filesystem::path path_;
  UniqueFd lock_;
  std::unique_ptr<Counters> counters_ = std::make_unique<Counters>();  // of the store; nobody asks for them
  std::unique_ptr<store::Store> store_;
};

}  // namespace slipway::cli

#include "backup_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/hash_file.h"
#include "base/text.h"
#include "store/layout.h"
#include "version.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifestName = "slipway-backup.json";
constexpr const char* kUnfinishedName = "unfinished";
constexpr const char* kStoreName = "store";
constexpr std::uint64_t kManifestBytesMax = 64 << 20;
constexpr std::uint64_t kDiskFreeBytesMin = 64 << 20;  // a backup leaves this much to others

Json facts_json(const FileFacts& facts) {
  return Json().set("file", facts.name).set("bytes", facts.bytes).set("hash", render(facts.hash));
}

Result<FileFacts> facts_of(const Json& json) {
  FileFacts facts;
  facts.name = json["file"].string();
  // A name from a file is no path: a manifest must not make us read elsewhere.
  if (facts.name.empty() || facts.name.find('/') != std::string::npos)
    return Error{ErrorCode::invalid_argument, "a file of the backup has no name, or one with a slash"};
  facts.bytes = static_cast<std::uint64_t>(json["bytes"].integer().value_or(0));
  facts.hash = TRY(parse_hash(json["hash"].string()));
  return facts;
}

bool is_ours(const std::string& name) {
  return name == kManifestName || name == kUnfinishedName || name == kStoreName || name == "lock" ||
         name.starts_with("database-") || name.starts_with("blobs-");
}

/// Nothing of anybody else may lie in the folder.
Result<void> check_is_ours(const fs::path& folder) {
  std::error_code problem;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, problem)) {
    const std::string name = entry.path().filename();
    if (is_ours(name)) continue;
    return Error{ErrorCode::failed_precondition, folder.string() + " holds other things (" + clean_utf8(name, 100) +
                                                     "); name an empty folder, or one that holds an earlier backup"};
  }
  if (problem) return system_error("list", folder, problem.value());
  return {};
}

Error in_use(const fs::path& folder) {
  return {ErrorCode::failed_precondition, "another `slipway backup` or `slipway restore` is using " + folder.string() +
                                              "; wait for its end, or name another folder"};
}

Result<UniqueFd> take_lock(const fs::path& folder) {
  UniqueFd lock = TRY(open_file(folder / "lock", O_RDWR | O_CREAT, 0600));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  return in_use(folder);
}

}  // namespace

Json render(const Manifest& manifest) {
  Json::Array damaged;
  for (const Hash& hash : manifest.damaged) damaged.emplace_back(render(hash));
  Json json;
  json.set("format", manifest.format)
      .set("id", manifest.id)
      .set("begun_at", manifest.begun_at)
      .set("finished_at", manifest.finished_at);
  json.set("version", manifest.version).set("schema", manifest.schema).set("database_kind", manifest.database_kind);
  json.set("database", facts_json(manifest.database)).set("blob_list", facts_json(manifest.blob_list));
  return json.set("blobs", manifest.blobs).set("bytes", manifest.bytes).set("damaged", std::move(damaged));
}

Result<Manifest> parse_manifest(const std::string& text, const fs::path& name_for_errors) {
  const auto fill = [&]() -> Result<Manifest> {
    const Json json = TRY(Json::parse(text));
    Manifest manifest;
    manifest.format = static_cast<int>(json["format"].integer().value_or(0));
    manifest.version = json["version"].string();
    if (manifest.format < 1) return Error{ErrorCode::invalid_argument, "'format' is missing"};
    if (manifest.format > kBackupFormat) {
      return Error{
          ErrorCode::failed_precondition,
          fmt::format(
              "the backup has format {}, written by Slipway {}; this is {}, which knows format {}. Use the newer version",
              manifest.format, manifest.version, kVersion, kBackupFormat)};
    }
    manifest.id = json["id"].string();
    manifest.begun_at = json["begun_at"].string();
    manifest.finished_at = json["finished_at"].string();
    manifest.schema = json["schema"].integer().value_or(0);
    manifest.database_kind = json["database_kind"].string();
    manifest.database = TRY(facts_of(json["database"]));
    manifest.blob_list = TRY(facts_of(json["blob_list"]));
    manifest.blobs = static_cast<std::uint64_t>(json["blobs"].integer().value_or(0));
    manifest.bytes = static_cast<std::uint64_t>(json["bytes"].integer().value_or(0));
    for (const Json& hash : json["damaged"].array()) manifest.damaged.push_back(TRY(parse_hash(hash.string())));
    return manifest;
  };
  auto filled = fill();
  if (!filled.ok()) return context(std::move(filled).error(), "while reading " + name_for_errors.string());
  return filled;
}

Result<FileFacts> facts_of(const fs::path& file, const std::function<void(std::uint64_t)>& seen) {
  const FileHash found = TRY(hash_file(file, Links::follow, seen));
  FileFacts facts;
  facts.name = file.filename();
  facts.bytes = found.bytes;
  facts.hash = found.hash;
  return facts;
}

std::string render(const BlobList& blobs) {
  std::string text;
  for (const store::BlobInfo& blob : blobs) text += render(blob.hash) + " " + std::to_string(blob.size) + "\n";
  return text;
}

Result<BlobList> parse_blob_list(std::string_view text, std::string_view name_for_errors) {
  BlobList blobs;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const size_t space = line.find(' ');
    const auto size = space == std::string_view::npos ? std::nullopt : parse_u64(line.substr(space + 1));
    const auto hash = parse_hash(line.substr(0, space));
    if (end == std::string_view::npos || !size || !hash.ok()) {
      return Error{ErrorCode::data_loss, fmt::format("line {} of {} should be a hash and a size and is '{}'",
                                                     blobs.size() + 1, name_for_errors, clean_utf8(line, 100))};
    }
    blobs.push_back({*hash, *size});
    text.remove_prefix(end + 1);
  }
  const auto by_hash = [](const store::BlobInfo& a, const store::BlobInfo& b) { return a.hash < b.hash; };
  std::sort(blobs.begin(), blobs.end(), by_hash);
  blobs.erase(std::unique(blobs.begin(), blobs.end(), [](const auto& a, const auto& b) { return a.hash == b.hash; }),
              blobs.end());
  return blobs;
}

bool holds(const BlobList& blobs, const Hash& hash) {
  const auto at = std::lower_bound(blobs.begin(), blobs.end(), hash,
                                   [](const store::BlobInfo& blob, const Hash& wanted) { return blob.hash < wanted; });
  return at != blobs.end() && at->hash == hash;
}

Result<Manifest> read_manifest(const fs::path& folder) {
  const auto text = read_file(folder / kManifestName, kManifestBytesMax);
  if (text.ok()) return parse_manifest(*text, folder / kManifestName);
  if (text.error().code != ErrorCode::not_found) return text.error();
  std::error_code ignored;
  if (fs::exists(folder / kUnfinishedName, ignored)) {
    return Error{ErrorCode::not_found, folder.string() +
                                           " holds a backup that did not come to its end; run `slipway backup " +
                                           folder.string() + "` again, it goes on where it stopped"};
  }
  return Error{ErrorCode::not_found, folder.string() + " holds no backup: there is no " + kManifestName + " in it"};
}

Result<BlobList> read_blob_list(const fs::path& folder, const Manifest& manifest) {
  const fs::path file = folder / manifest.blob_list.name;
  const std::string text = TRY(read_file(file));
  if (hash_of(text) != manifest.blob_list.hash)
    return Error{ErrorCode::data_loss, file.string() + " is damaged: its bytes have another hash than the backup says"};
  return parse_blob_list(text, file.string());
}

Result<UniqueFd> lock_for_reading(const fs::path& folder) {
  auto lock = open_file(folder / "lock", O_RDONLY);
  if (!lock.ok()) return UniqueFd();  // a copy without it, or one that only its owner may lock: nobody writes to that
  if (::flock(lock->get(), LOCK_SH | LOCK_NB) != 0) return in_use(folder);
  return lock;
}

fs::path blob_file(const fs::path& folder, const Hash& hash) {
  return store::Layout::blob_in(folder / kStoreName, hash);
}

Result<BackupFolder> BackupFolder::open(const fs::path& path) {
  BackupFolder folder;
  folder.path_ = fs::absolute(path).lexically_normal();
  const bool is_new = !fs::exists(folder.path_);
  TRY(make_directories(folder.path_));
  // It holds what the server's data folder holds, which nobody else may read either.
  std::error_code ignored;
  if (is_new) fs::permissions(folder.path_, fs::perms::owner_all, ignored);
  TRY(check_is_ours(folder.path_));
  folder.lock_ = TRY(take_lock(folder.path_));
  store::StoreOptions options;
  options.folder = folder.path_ / kStoreName;
  options.lease = Duration(0);
  options.disk_free_bytes_min = kDiskFreeBytesMin;
  folder.store_ = TRY(store::Store::open(options, system_clock(), *folder.counters_));
  return folder;
}

std::string BackupFolder::unfinished() const {
  const auto text = read_file(path_ / kUnfinishedName, 1000);
  return text.ok() ? std::string(trim(*text)) : "";
}

Result<void> BackupFolder::set_unfinished(const std::string& id) {
  return write_file_atomic(path_ / kUnfinishedName, id + "\n");
}

Result<void> BackupFolder::finish(const Manifest& manifest, const BlobList& blobs) {
  TRY(write_file_atomic(path_ / kManifestName, render(manifest).render() + "\n"));
  std::error_code ignored;
  fs::remove(path_ / kUnfinishedName, ignored);
  return remove_others(manifest, blobs);
}

/// What only earlier backups had, and what unfinished ones left.
Result<void> BackupFolder::remove_others(const Manifest& manifest, const BlobList& blobs) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename();
    const bool is_a_backups = name.starts_with("database-") || name.starts_with("blobs-");
    if (is_a_backups && name != manifest.database.name && name != manifest.blob_list.name)
      fs::remove(entry.path(), ignored);
  }
  (void)TRY(store_->sweep([&](const Hash& hash) -> Result<bool> { return holds(blobs, hash); }, false));
  return {};
}

}  // namespace slipway::cli

// slipway backup: a copy of everything a server holds, taken while it works, over the same HTTP that everybody uses.
//
// The server copies its database first and stops sweeping before that, so every blob that the copy names can be fetched
// afterwards. Blobs that the folder holds already are not fetched again. The manifest is written last.
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "backup_folder.h"
#include "base/log.h"
#include "base/text.h"
#include "cli.h"
#include "transfer.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration kAskInterval = std::chrono::milliseconds(100);  // while the server copies its database
constexpr Duration kKeepInterval = std::chrono::seconds(20);       // the server ends a backup that nobody asks about
constexpr size_t kBatchBlobsMax = 10'000;
constexpr std::uint64_t kBatchBytesMax = 16 << 20;
constexpr std::uint64_t kSmallBytesMax = 1 << 20;  // larger ones travel alone, as a stream

/// A backup that is open on the server. Ends it there when it goes.
class OpenBackup {
 public:
  static Result<OpenBackup> begin(Context& context) {
    const Json begun = TRY(context.post("/api/v1/backups", Json(Json::Object{})));
    return OpenBackup(context, begun["id"].string());
  }
  OpenBackup(OpenBackup&& other) noexcept
      : context_(other.context_),
        keeper_(std::move(other.keeper_)),
        id_(std::exchange(other.id_, "")),
        kept_(other.kept_) {}
  ~OpenBackup() {
    if (!id_.empty()) (void)context_.del(path());
  }

  const std::string& id() const { return id_; }
  std::string path() const { return "/api/v1/backups/" + id_; }
  /// Says now and then that we are still here; over a connection of its own, so it may be called within a download.
  /// When that fails, the download will tell.
  void keep() {
    if (system_clock().steady() - kept_ < kKeepInterval) return;
    kept_ = system_clock().steady();
    (void)keeper_->get(path());
  }

 private:
  OpenBackup(Context& context, std::string id)
      : context_(context),
        keeper_(std::make_unique<Context>(context.settings())),
        id_(std::move(id)),
        kept_(system_clock().steady()) {}

  Context& context_;
  std::unique_ptr<Context> keeper_;
  std::string id_;
  Time kept_;
};

/// What the server says of the backup, once its database is copied.
Result<Json> wait_until_ready(Context& context, const OpenBackup& open) {
  Progress progress(context, "Copying the database", 0, false);
  while (true) {
    Json backup = TRY(context.get(open.path()));
    const std::string& state = backup["state"].string();
    if (state == "ready") return backup;
    if (state == "failed")
      return Error{ErrorCode::unavailable, "the server could not copy its database: " + backup["problem"].string()};
    std::this_thread::sleep_for(kAskInterval);
  }
}

Result<Manifest> manifest_of(const Json& backup) {
  Manifest manifest;
  manifest.id = backup["id"].string();
  manifest.begun_at = backup["begun_at"].string();
  manifest.version = backup["version"].string();
  manifest.schema = backup["schema"].integer().value_or(0);
  manifest.database_kind = backup["database"]["kind"].string();
  manifest.database.name = "database-" + manifest.id + ".db";
  manifest.database.bytes = static_cast<std::uint64_t>(backup["database"]["bytes"].integer().value_or(0));
  manifest.database.hash = TRY(parse_hash(backup["database"]["hash"].string()));
  manifest.blob_list.name = "blobs-" + manifest.id + ".txt";
  return manifest;
}

Result<void> fetch_database(Context& context, OpenBackup& open, const fs::path& folder, const FileFacts& expected) {
  const fs::path file = folder / expected.name;
  const UniqueFd fd = TRY(open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  Progress progress(context, "Fetching the database", expected.bytes, true);
  Hasher hasher;
  std::uint64_t done = 0;
  Result<void> written;
  http::Client* client = TRY(context.client());
  const auto response = TRY(client->download(
      open.path() + "/database",
      [&](std::string_view bytes) {
        written = write_all(fd.get(), bytes, file);
        hasher.update(bytes);
        progress.set(done += bytes.size());
        open.keep();
        return written.ok();
      },
      context.headers()));
  TRY(written);
  TRY(check_answer(response, "fetching the database"));
  if (done != expected.bytes || hasher.finish() != expected.hash)
    return Error{ErrorCode::data_loss, "the database was changed or cut short on its way here; run the backup again"};
  TRY(sync_file(fd.get(), file));
  return sync_directory(folder);
}

Result<BlobList> fetch_blob_list(Context& context, const OpenBackup& open) {
  std::string text;
  http::Client* client = TRY(context.client());
  const auto response = TRY(client->download(
      open.path() + "/blobs",
      [&](std::string_view bytes) {
        text += bytes;
        return true;
      },
      context.headers()));
  TRY(check_answer(response, "listing the blobs"));
  return parse_blob_list(text, "the server's list of blobs");
}

/// Brings blobs into the folder's store, and remembers those that come with other bytes than their name says.
class Fetcher {
 public:
  Fetcher(Context& context, OpenBackup& open, store::Store& store) : context_(context), open_(open), store_(store) {}

  Result<void> fetch(const BlobList& wanted) {
    for (const store::BlobInfo& blob : wanted) bytes_ += blob.size;
    Progress progress(context_, "Fetching " + std::to_string(wanted.size()) + " new blobs", bytes_, true);
    for (const store::BlobInfo& blob : wanted) {
      if (blob.size > kSmallBytesMax) {
        TRY(fetch_large(blob, progress));
        continue;
      }
      if (batch_.size() == kBatchBlobsMax || batch_bytes_ + blob.size > kBatchBytesMax) TRY(fetch_batch(progress));
      batch_.push_back(blob);
      batch_bytes_ += blob.size;
    }
    return fetch_batch(progress);
  }
  const std::vector<Hash>& damaged() const { return damaged_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<void> fetch_batch(Progress& progress) {
    if (batch_.empty()) return {};
    Json::Array hashes;
    for (const store::BlobInfo& blob : batch_) hashes.emplace_back(render(blob.hash));
    http::Client* client = TRY(context_.client());
    const auto response =
        TRY(client->request(http::Method::post, "/api/v1/blobs/read", Json().set("hashes", std::move(hashes)).render(),
                            "application/json", context_.headers()));
    TRY(check_answer(response, "fetching blobs"));
    const auto contents = TRY(frames_of(response.body));
    const auto kept = TRY(store_.put_many(contents));
    for (size_t i = 0; i < kept.size(); ++i) note(batch_[i], kept[i]);
    progress.set(done_ += batch_bytes_);
    open_.keep();
    batch_.clear();
    batch_bytes_ = 0;
    return {};
  }

  /// A length of four bytes, least first, and the bytes, for each blob of the batch.
  Result<std::vector<std::string_view>> frames_of(std::string_view body) const {
    std::vector<std::string_view> frames;
    for (size_t i = 0; i < batch_.size(); ++i) {
      std::uint32_t length = 0;
      for (size_t at = 4; body.size() >= 4 && at > 0; --at)
        length = length << 8 | static_cast<unsigned char>(body[at - 1]);
      if (body.size() < 4 || body.size() - 4 < length)
        return Error{ErrorCode::unavailable,
                     "the server's answer was cut short; run the backup again, it goes on where it stopped"};
      frames.push_back(body.substr(4, length));
      body.remove_prefix(4 + length);
    }
    return frames;
  }

  Result<void> fetch_large(const store::BlobInfo& blob, Progress& progress) {
    const auto upload = TRY(store_.begin_upload());
    Result<void> written;
    http::Client* client = TRY(context_.client());
    const auto response = TRY(client->download(
        "/api/v1/blobs/" + render(blob.hash),
        [&](std::string_view bytes) {
          written = upload->write(bytes);
          progress.set(done_ += bytes.size());
          open_.keep();
          return written.ok();
        },
        context_.headers()));
    TRY(written);
    TRY(check_answer(response, "fetching the blob " + render(blob.hash)));
    note(blob, TRY(upload->finish()));
    return {};
  }

  void note(const store::BlobInfo& wanted, const store::BlobInfo& kept) {
    if (kept.hash != wanted.hash) damaged_.push_back(wanted.hash);
  }

  Context& context_;
  OpenBackup& open_;
  store::Store& store_;
  BlobList batch_;
  std::uint64_t batch_bytes_ = 0, bytes_ = 0, done_ = 0;
  std::vector<Hash> damaged_;
};

/// Those of `blobs` that the folder does not have, or not in that size.
Result<BlobList> missing_of(const BlobList& blobs, store::Store& store) {
  BlobList missing;
  for (const store::BlobInfo& blob : blobs) {
    const auto reader = store.open_blob(blob.hash);
    if (!reader.ok() && reader.error().code != ErrorCode::not_found) return reader.error();
    if (!reader.ok() || (*reader)->size() != blob.size) missing.push_back(blob);
  }
  return missing;
}

Result<void> check_damaged(const std::vector<Hash>& damaged, bool skip) {
  if (damaged.empty() || skip) return {};
  return Error{
      ErrorCode::data_loss,
      fmt::format(
          "{} blobs are damaged on the server itself, the first is {}; `slipway gc --verify` names them all. Add the same files again, or give --skip-damaged to leave them out of the backup",
          damaged.size(), render(damaged.front()))};
}

void report(const Context& context, const fs::path& folder, const Manifest& manifest, const BlobList& fetched,
            std::uint64_t fetched_bytes) {
  if (context.json())
    return print_json(
        render(manifest).set("new_blobs", static_cast<std::uint64_t>(fetched.size())).set("new_bytes", fetched_bytes));
  std::printf("%s holds the state of %s: the database (%s) and %llu blobs (%s), of which %zu (%s) were new\n",
              folder.c_str(), manifest.begun_at.c_str(), render_bytes(manifest.database.bytes).c_str(),
              static_cast<unsigned long long>(manifest.blobs), render_bytes(manifest.bytes).c_str(), fetched.size(),
              render_bytes(fetched_bytes).c_str());
  if (!manifest.damaged.empty())
    std::printf("%zu blobs are damaged on the server and were left out\n", manifest.damaged.size());
}

/// A backup that was killed here may still be open on the server; it would only keep room and sweeps from others.
void end_earlier(Context& context, const std::string& id) {
  if (!id.empty()) (void)context.del("/api/v1/backups/" + http::url_encode(id));
}

Result<int> take(Context& context, const fs::path& path, bool skip_damaged) {
  BackupFolder folder = TRY(BackupFolder::open(path));
  end_earlier(context, folder.unfinished());
  OpenBackup open = TRY(OpenBackup::begin(context));
  TRY(folder.set_unfinished(open.id()));
  Manifest manifest = TRY(manifest_of(TRY(wait_until_ready(context, open))));
  TRY(fetch_database(context, open, folder.path(), manifest.database));
  BlobList blobs = TRY(fetch_blob_list(context, open));
  const BlobList missing = TRY(missing_of(blobs, folder.store()));
  Fetcher fetcher(context, open, folder.store());
  TRY(fetcher.fetch(missing));
  TRY(check_damaged(fetcher.damaged(), skip_damaged));
  manifest.damaged = fetcher.damaged();
  std::erase_if(blobs, [&](const store::BlobInfo& blob) {
    return std::find(manifest.damaged.begin(), manifest.damaged.end(), blob.hash) != manifest.damaged.end();
  });

  TRY(write_file_atomic(folder.path() / manifest.blob_list.name, render(blobs)));
  manifest.blob_list = TRY(facts_of(folder.path() / manifest.blob_list.name));
  manifest.blobs = blobs.size();
  for (const store::BlobInfo& blob : blobs) manifest.bytes += blob.size;
  manifest.finished_at = render(system_clock().now());
  TRY(folder.finish(manifest, blobs));
  report(context, folder.path(), manifest, missing, fetcher.bytes());
  return kExitOk;
}

// --- verifying -----------------------------------------------------------------------------------------------------

/// The files of the backup whose bytes are not what they were, with a sentence each.
Result<std::vector<std::string>> damage_of(Context& context, const fs::path& folder, const Manifest& manifest) {
  std::vector<std::string> found;
  Progress progress(context, "Reading", manifest.database.bytes + manifest.bytes, true);
  std::uint64_t done = 0;
  const auto seen = [&](std::uint64_t bytes) { progress.set(done += bytes); };
  const auto check = [&](const fs::path& file, const Hash& hash) {
    const auto facts = facts_of(file, seen);
    if (!facts.ok()) return found.push_back(facts.error().message);
    if (facts->hash != hash)
      found.push_back(file.string() + " is damaged: its bytes have another hash than when it was written");
  };
  check(folder / manifest.database.name, manifest.database.hash);
  for (const store::BlobInfo& blob : TRY(read_blob_list(folder, manifest)))
    check(blob_file(folder, blob.hash), blob.hash);
  return found;
}

Result<int> verify(Context& context, const fs::path& folder) {
  const UniqueFd lock = TRY(lock_for_reading(folder));
  const Manifest manifest = TRY(read_manifest(folder));
  const auto damage = TRY(damage_of(context, folder, manifest));
  if (context.json()) {
    Json::Array sentences;
    for (const std::string& sentence : damage) sentences.emplace_back(sentence);
    print_json(render(manifest).set("problems", std::move(sentences)));
  } else {
    for (const std::string& sentence : damage) std::printf("%s\n", sentence.c_str());
    std::printf(
        "%s, the state of %s: the database (%s) and %llu blobs (%s) were read, %zu files are damaged or missing%s\n",
        folder.c_str(), manifest.begun_at.c_str(), render_bytes(manifest.database.bytes).c_str(),
        static_cast<unsigned long long>(manifest.blobs), render_bytes(manifest.bytes).c_str(), damage.size(),
        damage.empty() ? "" : "; remove those of the store and run the backup again");
  }
  return damage.empty() ? kExitOk : kExitFailed;
}

Result<int> run_backup(Context& context, const Arguments& arguments) {
  set_log_level(LogLevel::warning);  // the store tells things that are of a server's interest
  const fs::path folder = arguments.get("folder");
  return arguments.has("verify") ? verify(context, folder) : take(context, folder, arguments.has("skip-damaged"));
}

}  // namespace

void add_backup(Commands& commands) {
  commands.push_back({
      .path = "backup",
      .summary = "Copy everything the server holds into a folder, while it works",
      .details =
          "Database and blobs as they were at one moment, fetched over HTTP: on the server's machine by the one who runs it, from\n"
          "elsewhere by an admin with a token. A folder holds one backup; the next one into it fetches only blobs that are new, and\n"
          "one that was interrupted leaves the earlier one whole and goes on where it stopped. See also `slipway restore`.",
      .example = "slipway backup ./slipway-backup\n  slipway backup --verify ./slipway-backup",
      .positionals = {{.name = "folder", .help = "where to; empty, or with an earlier backup"}},
      .options = {{.name = "verify", .help = "read an existing backup and hold every byte against its hash instead"},
                  {.name = "skip-damaged",
                   .help = "leave out blobs that the server itself cannot read whole, instead of giving up"}},
      .run = run_backup,
  });
}

}  // namespace slipway::cli

// slipway restore: a data folder made from a backup. The bytes are put and checked here; the database is put by
// slipway-server, which knows the schema and both kinds of database.
//
// For as long as it is not over, the folder holds a file `restoring`, and no server starts on it; the same restore
// again goes on where it stopped. Then the file becomes `restored`, and the first server gives up what executed at the
// backup.
#include <cstdio>

#include <fmt/format.h>

#include "backup_folder.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "cli.h"
#include "sibling.h"
#include "version.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

// Names that the server's data folder gives them (src/apps/server).
constexpr const char* kRestoringName = "restoring";
constexpr const char* kRestoredName = "restored";
constexpr const char* kStoreName = "store";

constexpr const char* kDatabaseDone = "\ndatabase restored\n";  // behind the backup's id in `restoring`
constexpr size_t kBatchBlobsMax = 10'000;
constexpr std::uint64_t kBatchBytesMax = 16 << 20;
constexpr std::uint64_t kSmallBytesMax = 1 << 20;

Error damaged(const fs::path& file) {
  return {
      ErrorCode::data_loss,
      file.string() +
          " is damaged: its bytes have another hash than when it was written; restore another backup, or give --skip-damaged to leave such blobs out"};
}

/// The text of an unfinished restore of the same backup, or empty for a folder to begin in.
Result<std::string> begun_before(const fs::path& data, const Manifest& manifest) {
  std::error_code problem;
  if (!fs::exists(data, problem)) return std::string();
  const auto text = read_file(data / kRestoringName, 1000);
  if (text.ok() && text->starts_with(manifest.id)) return *text;
  if (text.ok())
    return Error{
        ErrorCode::failed_precondition,
        data.string() +
            " holds another backup that was restored half-way; finish that, or name an empty folder with --data"};
  if (!fs::is_directory(data, problem) || fs::directory_iterator(data, problem) != fs::directory_iterator()) {
    return Error{
        ErrorCode::failed_precondition,
        data.string() + " is not empty; a backup is restored into an empty folder only, name another with --data"};
  }
  return std::string();
}

Result<void> check_database(const fs::path& source, const Manifest& manifest, Context& context) {
  const fs::path file = source / manifest.database.name;
  Progress progress(context, "Checking the database", manifest.database.bytes, true);
  std::uint64_t done = 0;
  const auto facts = TRY(facts_of(file, [&](std::uint64_t bytes) { progress.set(done += bytes); }));
  if (facts.hash != manifest.database.hash)
    return Error{
        ErrorCode::data_loss,
        file.string() + " is damaged: its bytes have another hash than when it was written; restore another backup"};
  return {};
}

/// slipway-server says on standard error why it refuses.
Result<bool> put_database(const fs::path& source, const Manifest& manifest, const fs::path& data,
                          const std::string& url) {
  ProcessSpec spec;
  spec.arguments = {sibling("slipway-server"), "--data", data.string(), "--restore-database",
                    (source / manifest.database.name).string()};
  if (!url.empty()) spec.arguments.insert(spec.arguments.end(), {"--database", url});
  spec.new_group = false;
  Process server = TRY(Process::start(spec));
  return server.wait()->ok();
}

/// Puts blobs of a backup into a store, each held against its name.
class Putter {
 public:
  Putter(const fs::path& source, store::Store& store, bool skip_damaged)
      : source_(source), store_(store), skip_damaged_(skip_damaged) {}

  Result<void> put(const BlobList& blobs, Progress& progress) {
    for (const store::BlobInfo& blob : blobs) {
      TRY(put_one(blob));
      progress.set(done_ += blob.size);
    }
    return flush();
  }
  std::uint64_t left_out() const { return left_out_; }

 private:
  Result<void> put_one(const store::BlobInfo& blob) {
    const auto there = store_.open_blob(blob.hash);
    if (there.ok() && (*there)->size() == blob.size) return {};
    const fs::path file = blob_file(source_, blob.hash);
    if (blob.size > kSmallBytesMax) return put_large(blob, file);
    if (contents_.size() == kBatchBlobsMax || contents_bytes_ + blob.size > kBatchBytesMax) TRY(flush());
    auto bytes = read_file(file, kSmallBytesMax);
    if (!bytes.ok() || hash_of(*bytes) != blob.hash) return leave_out(bytes.ok() ? damaged(file) : bytes.error());
    contents_.push_back(std::move(*bytes));
    contents_bytes_ += blob.size;
    return {};
  }
  Result<void> put_large(const store::BlobInfo& blob, const fs::path& file) {
    const auto put = store_.put_file(file);
    if (put.ok() && put->hash == blob.hash) return {};
    if (!put.ok() && put.error().code != ErrorCode::not_found) return put.error();
    return leave_out(put.ok() ? damaged(file) : put.error());
  }
  Result<void> leave_out(const Error& why) {
    if (!skip_damaged_) return why;
    ++left_out_;
    std::fprintf(stderr, "left out: %s\n", why.message.c_str());
    return {};
  }
  Result<void> flush() {
    const std::vector<std::string_view> views(contents_.begin(), contents_.end());
    (void)TRY(store_.put_many(views));
    contents_.clear();
    contents_bytes_ = 0;
    return {};
  }

  const fs::path source_;
  store::Store& store_;
  const bool skip_damaged_;
  std::vector<std::string> contents_;
  std::uint64_t contents_bytes_ = 0, done_ = 0, left_out_ = 0;
};

Result<std::uint64_t> put_blobs(Context& context, const fs::path& source, const Manifest& manifest,
                                const fs::path& data, bool skip_damaged) {
  Counters counters;
  const auto store = TRY(store::Store::open({.folder = data / kStoreName}, system_clock(), counters));
  const BlobList blobs = TRY(read_blob_list(source, manifest));
  Progress progress(context, "Restoring " + std::to_string(blobs.size()) + " blobs", manifest.bytes, true);
  Putter putter(source, *store, skip_damaged);
  TRY(putter.put(blobs, progress));
  return putter.left_out();
}

Result<void> mark_restored(const fs::path& data) {
  std::error_code problem;
  fs::rename(data / kRestoringName, data / kRestoredName, problem);
  if (problem) return system_error("rename", data / kRestoringName, problem.value());
  return sync_directory(data);
}

Result<int> run_restore(Context& context, const Arguments& arguments) {
  set_log_level(LogLevel::warning);  // the store tells things that are of a server's interest
  const fs::path source = arguments.get("folder"), data = arguments.get("data");
  const UniqueFd lock = TRY(lock_for_reading(source));
  const Manifest manifest = TRY(read_manifest(source));
  const std::string begun = TRY(begun_before(data, manifest));
  if (begun.empty()) {
    TRY(check_database(source, manifest, context));
    TRY(make_directories(data));
    TRY(write_file_atomic(data / kRestoringName, manifest.id + "\n"));
  }
  if (begun.find(kDatabaseDone) == std::string::npos) {
    if (!TRY(put_database(source, manifest, data, arguments.get("database")))) return kExitFailed;
    TRY(write_file_atomic(data / kRestoringName, manifest.id + kDatabaseDone));
  }
  const std::uint64_t left_out = TRY(put_blobs(context, source, manifest, data, arguments.has("skip-damaged")));
  TRY(mark_restored(data));
  if (context.json()) {
    print_json(render(manifest).set("data", data.string()).set("left_out", left_out));
  } else {
    std::printf(
        "%s holds the state of %s again: the database and %llu blobs (%s). Start it with `slipway server --data %s`\n",
        data.c_str(), manifest.begun_at.c_str(), static_cast<unsigned long long>(manifest.blobs - left_out),
        render_bytes(manifest.bytes).c_str(), data.c_str());
  }
  return kExitOk;
}

}  // namespace

void add_restore(Commands& commands) {
  commands.push_back({
      .path = "restore",
      .summary = "Make a data folder from a backup",
      .details =
          "Needs no server; the folder must be empty or missing. Every byte is held against its hash on the way. With --database the\n"
          "database goes into an empty PostgreSQL database instead of the folder, whichever database the backup was made from. Run it\n"
          "as the user who will run the server.",
      .example = "slipway restore ./slipway-backup --data ./restored-data",
      .positionals = {{.name = "folder", .help = "what `slipway backup` filled"}},
      .options =
          {{.name = "data", .letter = 'd', .value_name = "FOLDER", .help = "the data folder to make", .required = true},
           {.name = "database",
            .value_name = "URL",
            .help = "postgresql://user@host/name, an empty database, instead of SQLite"},
           {.name = "skip-damaged", .help = "leave out blobs whose bytes are not what they were, and say which"}},
      .run = run_restore,
  });
}

}  // namespace slipway::cli

#include "transfer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash_file.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kAskedAtOnce = 20'000;  // hashes in one question
constexpr size_t kBatchBlobsMax = 20'000;
constexpr std::uint64_t kBatchBytesMax = 16 << 20;
constexpr std::uint64_t kSmallBytesMax = 1 << 20;  // larger ones travel alone, as a stream
constexpr size_t kPieceBytes = 1 << 20;

Error changed(const fs::path& file) {
  return {
      ErrorCode::failed_precondition,
      file.string() + " changed while it was being added; nothing was committed, try again when nobody writes to it"};
}

/// A length of four bytes, least first, and the bytes.
void append_frame(std::string& body, std::string_view bytes) {
  for (int i = 0; i < 4; ++i) body += static_cast<char>(bytes.size() >> (8 * i));
  body += bytes;
}

Result<std::vector<const Outgoing*>> missing_of(Context& context, const std::vector<Outgoing>& blobs) {
  std::unordered_map<Hash, const Outgoing*> by_hash;
  for (const Outgoing& blob : blobs) by_hash.emplace(blob.hash, &blob);
  std::vector<const Outgoing*> missing, all;
  for (const auto& [hash, blob] : by_hash) all.push_back(blob);
  for (size_t from = 0; from < all.size(); from += kAskedAtOnce) {
    Json::Array hashes;
    for (size_t i = from; i < std::min(all.size(), from + kAskedAtOnce); ++i) hashes.emplace_back(render(all[i]->hash));
    const Json answer = TRY(context.post("/api/v1/blobs/missing", Json().set("hashes", std::move(hashes))));
    for (const Json& hash : answer["missing"].array()) missing.push_back(by_hash.at(TRY(parse_hash(hash.string()))));
  }
  // By name, as they lie on the disk.
  std::sort(missing.begin(), missing.end(), [](const Outgoing* a, const Outgoing* b) { return a->file < b->file; });
  return missing;
}

Result<void> send_batch(Context& context, const std::vector<const Outgoing*>& batch) {
  std::string body;
  for (const Outgoing* blob : batch) {
    const std::string bytes = blob->file.empty() ? blob->bytes : TRY(read_file(blob->file, kSmallBytesMax));
    if (hash_of(bytes) != blob->hash) return changed(blob->file);
    append_frame(body, bytes);
  }
  http::Client* client = TRY(context.client());
  return check_answer(TRY(client->request(http::Method::post, "/api/v1/blobs/batch", std::move(body),
                                          "application/octet-stream", context.headers())),
                      "sending files");
}

Result<void> send_large(Context& context, const Outgoing& blob, const std::function<void(std::uint64_t)>& sent) {
  const UniqueFd file = blob.file.empty() ? UniqueFd() : TRY(open_file(blob.file, O_RDONLY));
  std::uint64_t at = 0;
  const auto produce = [&]() -> Result<std::string> {
    std::string piece(std::min<std::uint64_t>(kPieceBytes, blob.size - at), '\0');
    if (!file) piece = blob.bytes.substr(at, kPieceBytes);
    if (file && !piece.empty()) {
      ssize_t n = -1;
      do {
        n = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(at));
      } while (n < 0 && errno == EINTR);
      if (n < 0) return system_error("read", blob.file, errno);
      if (n == 0) return changed(blob.file);
      piece.resize(static_cast<size_t>(n));
    }
    at += piece.size();
    sent(piece.size());
    return piece;
  };
  http::Client* client = TRY(context.client());
  return check_answer(TRY(client->upload(http::Method::put, "/api/v1/blobs/" + render(blob.hash), blob.size, produce,
                                         context.headers())),
                      "sending " + blob.file.string());
}

// --- receiving -----------------------------------------------------------------------------------------------------

/// True when the file has these bytes already.
Result<bool> is_there(const fs::path& path, const TreeEntry& entry) {
  std::error_code ignored;
  if (fs::file_size(path, ignored) != entry.size || ignored) return false;
  return TRY(hash_file(path)).hash == entry.hash;
}

/// Beside the file first, then in its place, so that nobody finds half a file under the name.
class Arriving {
 public:
  static Result<Arriving> open(const fs::path& path, bool executable) {
    TRY(make_directories(path.parent_path()));
    const fs::path temporary = path.string() + ".slipway-part";
    return Arriving(path, temporary, TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, executable ? 0777 : 0666)));
  }
  Arriving(Arriving&& other) noexcept = default;
  ~Arriving() {
    if (fd_) ::unlink(temporary_.c_str());
  }
  Result<void> write(std::string_view bytes) {
    hasher_.update(bytes);
    return write_all(fd_.get(), bytes, temporary_);
  }
  Result<void> finish(const Hash& expected) {
    if (hasher_.finish() != expected)
      return Error{ErrorCode::data_loss, "the server sent other bytes than asked for as " + path_.string() +
                                             "; `slipway gc --verify` finds damaged blobs"};
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error("replace", path_, errno);
    fd_.reset();
    return {};
  }

 private:
  Arriving(fs::path path, fs::path temporary, UniqueFd fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  fs::path path_, temporary_;
  UniqueFd fd_;
  Hasher hasher_;
};

Result<void> fetch_small(Context& context, const std::vector<const TreeEntry*>& batch, const fs::path& folder) {
  Json::Array hashes;
  for (const TreeEntry* entry : batch) hashes.emplace_back(render(entry->hash));
  http::Client* client = TRY(context.client());
  const auto response =
      TRY(client->request(http::Method::post, "/api/v1/blobs/read", Json().set("hashes", std::move(hashes)).render(),
                          "application/json", context.headers()));
  TRY(check_answer(response, "reading files"));
  std::string_view rest = response.body;
  for (const TreeEntry* entry : batch) {
    if (rest.size() < 4 + entry->size)
      return Error{ErrorCode::unavailable, "the server's answer was cut short; try again"};
    auto file = TRY(Arriving::open(folder / entry->path, entry->kind == TreeEntryKind::executable));
    TRY(file.write(rest.substr(4, entry->size)));
    TRY(file.finish(entry->hash));
    rest.remove_prefix(4 + entry->size);
  }
  return {};
}

Result<void> fetch_large(Context& context, const TreeEntry& entry, const fs::path& folder,
                         const std::function<void(std::uint64_t)>& received) {
  auto file = TRY(Arriving::open(folder / entry.path, entry.kind == TreeEntryKind::executable));
  Result<void> written;
  http::Client* client = TRY(context.client());
  const auto response = TRY(client->download(
      "/api/v1/blobs/" + render(entry.hash),
      [&](std::string_view bytes) {
        written = file.write(bytes);
        received(bytes.size());
        return written.ok();
      },
      context.headers()));
  TRY(written);
  TRY(check_answer(response, "reading " + entry.path));
  return file.finish(entry.hash);
}

}  // namespace

Result<void> check_answer(const http::ClientResponse& response, std::string_view attempted) {
  if (response.status < 400) return {};
  const auto json = Json::parse(response.body);
  const std::string message = json.ok() ? (*json)["error"]["message"].string() : "";
  const ErrorCode code = response.status == 404   ? ErrorCode::not_found
                         : response.status == 403 ? ErrorCode::permission_denied
                         : response.status == 401 ? ErrorCode::unauthenticated
                         : response.status == 503 ? ErrorCode::busy
                         : response.status < 500  ? ErrorCode::invalid_argument
                                                  : ErrorCode::internal;
  return Error{code, message.empty()
                         ? fmt::format("the server answered {} when this was attempted: {}", response.status, attempted)
                         : message};
}

Result<Sent> send_blobs(Context& context, const std::vector<Outgoing>& blobs, const std::string& what) {
  const auto missing = TRY(missing_of(context, blobs));
  Sent total;
  for (const Outgoing* blob : missing) total.bytes += blob->size;
  total.blobs = missing.size();
  Progress progress(context, what, total.bytes, true);
  std::uint64_t done = 0;
  std::vector<const Outgoing*> batch;
  std::uint64_t batch_bytes = 0;
  const auto flush = [&]() -> Result<void> {
    if (batch.empty()) return {};
    TRY(send_batch(context, batch));
    progress.set(done += batch_bytes);
    batch.clear();
    batch_bytes = 0;
    return {};
  };
  for (const Outgoing* blob : missing) {
    if (blob->size > kSmallBytesMax) {
      TRY(send_large(context, *blob, [&](std::uint64_t bytes) { progress.set(done += bytes); }));
      continue;
    }
    if (batch.size() == kBatchBlobsMax || batch_bytes + blob->size > kBatchBytesMax) TRY(flush());
    batch.push_back(blob);
    batch_bytes += blob->size;
  }
  TRY(flush());
  return total;
}

Result<std::string> fetch_blob(Context& context, const Hash& hash) {
  http::Client* client = TRY(context.client());
  const auto response = TRY(
      client->request(http::Method::get, "/api/v1/blobs/" + render(hash), "", "application/json", context.headers()));
  TRY(check_answer(response, "reading the blob " + render(hash)));
  if (hash_of(response.body) != hash)
    return Error{ErrorCode::data_loss, "the server sent other bytes than the blob " + render(hash)};
  return response.body;
}

Result<Received> fetch_tree(Context& context, const Tree& tree, const fs::path& folder, bool force,
                            const std::string& what) {
  Received total;
  std::vector<const TreeEntry*> wanted;
  for (const TreeEntry& entry : tree.entries) {
    const fs::path path = folder / entry.path;
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(path, ignored))) {
      if (TRY(is_there(path, entry))) {
        ++total.kept;
        continue;
      }
      if (!force)
        return Error{ErrorCode::already_exists,
                     path.string() + " is there with other content; give --force to replace it, or another folder"};
    }
    wanted.push_back(&entry);
    total.bytes += entry.size;
  }
  total.files = wanted.size();
  TRY(make_directories(folder));
  Progress progress(context, what, total.bytes, true);
  std::uint64_t done = 0, batch_bytes = 0;
  std::vector<const TreeEntry*> batch;
  const auto flush = [&]() -> Result<void> {
    if (batch.empty()) return {};
    TRY(fetch_small(context, batch, folder));
    progress.set(done += batch_bytes);
    batch.clear();
    batch_bytes = 0;
    return {};
  };
  for (const TreeEntry* entry : wanted) {
    if (entry->size > kSmallBytesMax) {
      TRY(fetch_large(context, *entry, folder, [&](std::uint64_t bytes) { progress.set(done += bytes); }));
      continue;
    }
    if (batch.size() == kBatchBlobsMax || batch_bytes + entry->size > kBatchBytesMax) TRY(flush());
    batch.push_back(entry);
    batch_bytes += entry->size;
  }
  TRY(flush());
  return total;
}

}  // namespace slipway::cli

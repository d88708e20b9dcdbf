#include "api/native/blobs.h"

#include <fmt/format.h>

#include "api/api.h"
#include "api/send_blob.h"
#include "base/text.h"
#include "domain/tree.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;

constexpr std::uint64_t kTreeBytesMax = 1ull << 30;
constexpr size_t kSniffedBytes = 512;
constexpr std::uint64_t kReadPieceBytes = 1 << 20;

http::Response ok(const Json& json) { return http::Response::json(json.render()); }
http::Response created(const Json& json) { return http::Response::json(json.render(), 201); }

Json blob_json(const store::BlobInfo& blob) { return Json().set("hash", render(blob.hash)).set("size", blob.size); }

Result<std::vector<Hash>> hashes_of(const Request& request) {
  const Json body = TRY(json_body(request));
  const Json& list = body["hashes"];
  if (!list.is_array())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'hashes' is a {} in the request; expected an array of hashes", list.type_name())};
  if (list.array().size() > kBlobHashesMax)
    return Error{ErrorCode::too_large,
                 fmt::format("{} hashes; at most {} are taken in one request", list.array().size(), kBlobHashesMax)};
  std::vector<Hash> hashes;
  hashes.reserve(list.array().size());
  for (const Json& text : list.array()) hashes.push_back(TRY(parse_hash(text.string())));
  return hashes;
}

Result<Json> missing(store::Store& store, const Request& request) {
  Json::Array list;
  for (const Hash& hash : TRY(store.missing(TRY(hashes_of(request))))) list.emplace_back(render(hash));
  return Json().set("missing", std::move(list));
}

/// Pieces of a body that holds many blobs: a length of four bytes, least first, and so many bytes, again and again.
Result<std::vector<std::string_view>> frames_of(std::string_view body) {
  std::vector<std::string_view> frames;
  while (!body.empty()) {
    if (body.size() < 4)
      return Error{ErrorCode::invalid_argument,
                   "the batch ends in the middle of a length; expected four bytes of length before each blob"};
    std::uint32_t length = 0;
    for (int i = 3; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(body[static_cast<size_t>(i)]);
    body.remove_prefix(4);
    if (body.size() < length)
      return Error{ErrorCode::invalid_argument, fmt::format("the batch ends early: blob {} has {} bytes, {} are left",
                                                            frames.size(), length, body.size())};
    frames.push_back(body.substr(0, length));
    body.remove_prefix(length);
    if (frames.size() > kBlobHashesMax)
      return Error{ErrorCode::too_large, fmt::format("more than {} blobs in one batch", kBlobHashesMax)};
  }
  return frames;
}

Result<Json> put_batch(store::Store& store, const Request& request) {
  const auto frames = TRY(frames_of(request.body));
  Json::Array blobs;
  for (const auto& blob : TRY(store.put_many(frames))) blobs.push_back(blob_json(blob));
  return Json().set("blobs", std::move(blobs));
}

Result<store::BlobInfo> receive(store::Store& store, http::BodyReader& body) {
  std::unique_ptr<store::Upload> upload = TRY(store.begin_upload());
  while (true) {
    const std::string bytes = TRY(body.next());
    if (bytes.empty()) break;
    TRY(upload->write(bytes));
  }
  const store::BlobInfo blob = TRY(upload->finish());
  return blob;
}

/// The client names what it sends; bytes with another hash are kept under theirs until the sweep, and refused here.
Result<Json> put_named(store::Store& store, const Request& request, http::BodyReader& body) {
  const Hash expected = TRY(parse_hash(request.parameter("hash")));
  const auto blob = TRY(receive(store, body));
  if (blob.hash == expected) return blob_json(blob);
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "the body's {} bytes have the hash {}, not {}; were they changed on the way, or while they were read?",
          blob.size, render(blob.hash), render(expected))};
}

/// What the first bytes say a blob is; browsers are told to believe it.
std::string_view sniff(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (bytes.starts_with("GIF8")) return "image/gif";
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return "image/webp";
  // The last character may be cut where we stopped looking.
  const auto is_text = [](std::string_view text) { return text.find('\0') == std::string_view::npos && is_utf8(text); };
  for (size_t cut = 0; cut < 4 && cut <= bytes.size(); ++cut) {
    if (is_text(bytes.substr(0, bytes.size() - cut))) return "text/plain; charset=utf-8";
    if (bytes.size() < kSniffedBytes) break;
  }
  return "application/octet-stream";
}

void send_blob(store::Store& store, const Request& request, const Responder& responder) {
  const auto hash = parse_hash(request.parameter("hash"));
  if (!hash.ok()) return responder.send(error_response(hash.error()));
  const auto reader = store.open_blob(*hash);
  if (!reader.ok()) return responder.send(error_response(reader.error()));
  const auto start = (*reader)->read(0, kSniffedBytes);
  if (!start.ok()) return responder.send(error_response(start.error()));
  const registry::Artifact artifact{render(*hash), *hash, (*reader)->size(), std::string(sniff(*start)), {}};
  send_artifact(request, responder, store, artifact, request.query_value("download").has_value(), error_response);
}

/// Many blobs in the order asked, framed as in a batch.
void send_many(store::Store& store, const Request& request, const Responder& responder) {
  const auto hashes = hashes_of(request);
  if (!hashes.ok()) return responder.send(error_response(hashes.error()));
  for (const Hash& hash : *hashes) {
    const auto there = store.contains(hash);
    if (there.ok() && *there) continue;
    return responder.send(
        error_response(there.ok() ? Error{ErrorCode::not_found, "there is no blob " + render(hash)} : there.error()));
  }
  http::Response head;
  head.compressible = false;
  head.headers.set("Content-Type", "application/octet-stream");
  const auto body = responder.stream(std::move(head));
  std::string buffer;
  for (const Hash& hash : *hashes) {
    // An answer that ends early tells the client; its frames do not add up.
    const auto reader = store.open_blob(hash);
    if (!reader.ok() || (*reader)->size() > UINT32_MAX) return;
    for (int i = 0; i < 4; ++i) buffer += static_cast<char>((*reader)->size() >> (8 * i));
    for (std::uint64_t at = 0; at < (*reader)->size(); at += kReadPieceBytes) {
      const auto piece = (*reader)->read(at, kReadPieceBytes);
      if (!piece.ok()) return;
      buffer += *piece;
      if (buffer.size() < kReadPieceBytes) continue;
      if (!body->write(buffer).ok()) return;
      buffer.clear();
    }
  }
  if (!buffer.empty()) (void)body->write(buffer);
}

// --- trees ---------------------------------------------------------------------------------------------------------

Result<Json> put_tree(store::Store& store, const Request& request) {
  const Tree tree = TRY(parse_tree(request.body));
  std::vector<Hash> hashes;
  for (const TreeEntry& entry : tree.entries) hashes.push_back(entry.hash);
  const auto absent = TRY(store.missing(hashes));
  if (!absent.empty()) {
    return Error{
        ErrorCode::failed_precondition,
        fmt::format("{} of the tree's blobs are not in the store, the first is {}; upload them before the tree",
                    absent.size(), render(absent.front()))};
  }
  return blob_json(TRY(store.put(request.body)))
      .set("entries", static_cast<std::int64_t>(tree.entries.size()))
      .set("bytes", tree.bytes());
}

std::string_view kind_name(TreeEntryKind kind) {
  return kind == TreeEntryKind::file ? "file" : kind == TreeEntryKind::executable ? "executable" : "link";
}

Result<Json> get_tree(store::Store& store, const Request& request) {
  const Hash hash = TRY(parse_hash(request.parameter("hash")));
  const Tree tree = TRY(parse_tree(TRY(store.get(hash, kTreeBytesMax))));
  const std::string_view below = request.query_value("path").value_or("");
  Json::Array entries;
  for (const TreeEntry& entry : tree.entries) {
    if (!entry.path.starts_with(below)) continue;
    if (entries.size() == kTreeEntriesAnswered) break;
    entries.push_back(Json()
                          .set("path", entry.path)
                          .set("hash", render(entry.hash))
                          .set("size", entry.size)
                          .set("kind", kind_name(entry.kind)));
  }
  return Json()
      .set("hash", render(hash))
      .set("bytes", tree.bytes())
      .set("count", static_cast<std::int64_t>(tree.entries.size()))
      .set("entries", std::move(entries));
}

// --- is it whole ---------------------------------------------------------------------------------------------------

Result<void> check_admin(const Request& request) {
  if (caller_of(request).admin) return {};
  return Error{ErrorCode::permission_denied, "only an admin may verify the store"};
}

Result<Json> verify(store::Store& store, const Request& request) {
  TRY(check_admin(request));
  const auto report = TRY(store.verify(nullptr));
  Json::Array damaged;
  for (const Hash& hash : report.damaged) damaged.emplace_back(render(hash));
  return Json().set("blobs", report.blobs).set("bytes", report.bytes).set("damaged", std::move(damaged));
}

}  // namespace

void add_blobs(http::Router& router, store::Store& store) {
  const auto on_store = [&](Method method, const char* pattern, Result<Json> (*function)(store::Store&, const Request&),
                            http::Response (*render_ok)(const Json&), http::RouteOptions options = {}) {
    router.add(
        method, pattern,
        [&store, function, render_ok](Request& request, Responder responder) {
          answer(responder, function(store, request), render_ok);
        },
        options);
  };
  on_store(Method::post, "/api/v1/blobs/missing", missing, ok);
  on_store(Method::post, "/api/v1/blobs/batch", put_batch, created,
           {.where = http::Where::on_pool, .body_bytes_max = kBlobBatchBytesMax});
  on_store(Method::post, "/api/v1/trees", put_tree, created,
           {.where = http::Where::on_pool, .body_bytes_max = kTreeBytesMax});
  on_store(Method::get, "/api/v1/trees/{hash}", get_tree, ok);
  on_store(Method::post, "/api/v1/store/verify", verify, ok);
  router.add(Method::post, "/api/v1/blobs/read",
             [&store](Request& request, Responder responder) { send_many(store, request, responder); });
  router.add(Method::get, "/api/v1/blobs/{hash}",
             [&store](Request& request, Responder responder) { send_blob(store, request, responder); });
  const http::RouteOptions endless{.where = http::Where::on_pool, .body_bytes_max = UINT64_MAX};
  router.add_streaming(
      Method::put, "/api/v1/blobs/{hash}",
      [&store](Request& request, http::BodyReader& body, Responder responder) {
        answer(responder, put_named(store, request, body), created);
      },
      endless);
  router.add_streaming(
      Method::post, "/api/v1/blobs",
      [&store](Request&, http::BodyReader& body, Responder responder) {
        answer(responder, receive(store, body), [](const store::BlobInfo& blob) { return created(blob_json(blob)); });
      },
      endless);
}

}  // namespace slipway::api

#include "api/native/snapshots.h"

#include <fmt/format.h>

#include "api/api.h"
#include "api/send_blob.h"
#include "base/hash.h"
#include "base/text.h"
#include "domain/tree.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;

constexpr size_t kHashesMax = 100'000;                    // in one question
constexpr size_t kBatchBlobsMax = 10'000;
constexpr std::uint64_t kBatchBytesMax = 64ull << 20;
constexpr std::uint64_t kTreeTextBytesMax = 1ull << 30;

Result<std::vector<Hash>> hashes_of(const Request& request, size_t most) {
  const Json body = TRY(json_body(request));
  const Json::Array& items = body["hashes"].array();
  if (!body["hashes"].is_array()) return Error{ErrorCode::invalid_argument, "'hashes' is missing from the request; expected a list of 64 hex digits each"};
  if (items.size() > most) return Error{ErrorCode::too_large, fmt::format("{} hashes in one request; the limit is {}", items.size(), most)};
  std::vector<Hash> hashes;
  for (const Json& item : items) hashes.push_back(TRY(parse_hash(item.string())));
  return hashes;
}

Result<http::Response> missing(store::Store& store, const Request& request) {
  const std::vector<Hash> asked = TRY(hashes_of(request, kHashesMax));
  Json::Array items;
  for (const Hash& hash : TRY(store.missing(asked))) items.emplace_back(render(hash));
  return http::Response::json(Json().set("missing", std::move(items)).render());
}

/// `u32-LE length, bytes`, again and again; every blob is synced with one sync.
Result<http::Response> put_batch(store::Store& store, const Request& request) {
  std::vector<std::string_view> contents;
  std::string_view rest = request.body;
  while (!rest.empty()) {
    if (rest.size() < 4) return Error{ErrorCode::invalid_argument, "the batch ends in the middle of a length; expected u32-LE length and bytes, repeated"};
    std::uint32_t length = 0;
    for (int i = 3; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(rest[static_cast<size_t>(i)]);
    rest.remove_prefix(4);
    if (rest.size() < length) return Error{ErrorCode::invalid_argument, fmt::format("the batch ends in the middle of a blob of {} bytes", length)};
    if (contents.size() >= kBatchBlobsMax) return Error{ErrorCode::too_large, fmt::format("more than {} blobs in one batch", kBatchBlobsMax)};
    contents.push_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  Json::Array blobs;
  for (const auto& info : TRY(store.put_many(contents))) blobs.push_back(Json().set("hash", render(info.hash)).set("size", info.size));
  return http::Response::json(Json().set("blobs", std::move(blobs)).render());
}

/// Many small blobs in one answer, framed as put_batch takes them, in the order asked.
Result<http::Response> read_batch(store::Store& store, const Request& request) {
  const std::vector<Hash> asked = TRY(hashes_of(request, kBatchBlobsMax));
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.compressible = false;
  for (const Hash& hash : asked) {
    const std::string bytes = TRY(store.get(hash, kBatchBytesMax));
    if (response.body.size() + bytes.size() > kBatchBytesMax) {
      return Error{ErrorCode::too_large, fmt::format("the blobs are larger than {} together; ask for fewer", render_bytes(kBatchBytesMax))};
    }
    for (int i = 0; i < 4; ++i) response.body += static_cast<char>((bytes.size() >> (8 * i)) & 255);
    response.body += bytes;
  }
  return response;
}

Result<http::Response> put_blob(store::Store& store, const Request& request, http::BodyReader& body) {
  const Hash expected = TRY(parse_hash(request.parameter("hash")));
  auto upload = TRY(store.begin_upload());
  Hasher hasher;
  while (true) {
    const std::string bytes = TRY(body.next());
    if (bytes.empty()) break;
    hasher.update(bytes);
    TRY(upload->write(bytes));
  }
  // Looked at before it is linked into place: bytes under a wrong name never appear.
  if (const Hash found = hasher.finish(); found != expected) {
    return Error{ErrorCode::invalid_argument, fmt::format("the bytes hash to {}, not to {}", render(found), render(expected))};
  }
  const auto blob = TRY(upload->finish());
  return http::Response::json(Json().set("hash", render(blob.hash)).set("size", blob.size).render());
}

void get_blob(store::Store& store, const Request& request, const Responder& responder) {
  const auto hash = parse_hash(request.parameter("hash"));
  if (!hash.ok()) return responder.send(error_response(hash.error()));
  const std::string_view wanted = request.query_value("type").value_or("");
  registry::Artifact artifact;
  artifact.hash = *hash;
  artifact.path = render(*hash);
  // Only pictures may be asked for by type: anything else a page could be made to run stays bytes.
  artifact.content_type = wanted == "image/png" || wanted == "image/jpeg" || wanted == "image/webp" ? std::string(wanted) : "application/octet-stream";
  send_artifact(request, responder, store, artifact, false, error_response);
}

/// Checked before it is stored: a tree has one name, and all of its blobs are here.
Result<http::Response> put_tree(store::Store& store, const Request& request) {
  const Tree tree = TRY(parse_tree(request.body));
  std::vector<Hash> hashes;
  for (const TreeEntry& entry : tree.entries) hashes.push_back(entry.hash);
  const auto absent = TRY(store.missing(hashes));
  if (!absent.empty()) {
    return Error{ErrorCode::failed_precondition, fmt::format("{} of the tree's blobs are not on the server, such as {}; upload them first", absent.size(), render(absent[0]))};
  }
  const auto blob = TRY(store.put(request.body));
  return http::Response::json(Json().set("hash", render(blob.hash)).render(), 201);
}

Result<http::Response> get_tree(store::Store& store, const Request& request) {
  std::string text = TRY(store.get(TRY(parse_hash(request.parameter("hash"))), kTreeTextBytesMax));
  TRY(parse_tree(text));
  return http::Response::text(std::move(text));
}

Result<http::Response> put_snapshot(runs::Runs& runs, const Request& request) {
  const Json body = TRY(json_body(request));
  const Hash tree = TRY(parse_hash(TRY(required_string(body, "tree"))));
  TRY(runs.tell_manifest(tree, TRY(parse_hash(TRY(required_string(body, "manifest"))))));
  return http::Response::json(Json().set("tree", render(tree)).render(), 201);
}

}  // namespace

void add_snapshots(http::Router& router, store::Store& store, runs::Runs& runs) {
  using Function = Result<http::Response> (*)(store::Store&, const Request&);
  const auto add = [&](Method method, const char* pattern, Function function, std::uint64_t body_bytes_max) {
    router.add(method, pattern, [&store, function](Request& request, Responder responder) {
      answer(responder, function(store, request), [](http::Response response) { return response; });
    }, {.where = http::Where::on_pool, .body_bytes_max = body_bytes_max});
  };
  add(Method::post, "/api/v1/blobs/missing", missing, 16 << 20);
  add(Method::post, "/api/v1/blobs/batch", put_batch, kBatchBytesMax + 4 * kBatchBlobsMax);
  add(Method::post, "/api/v1/blobs/read", read_batch, 16 << 20);
  add(Method::post, "/api/v1/trees", put_tree, kTreeTextBytesMax);
  add(Method::get, "/api/v1/trees/{hash}", get_tree, 0);
  router.add(Method::get, "/api/v1/blobs/{hash}", [&store](Request& request, Responder responder) { get_blob(store, request, responder); });
  router.add_streaming(Method::put, "/api/v1/blobs/{hash}", [&store](Request& request, http::BodyReader& body, Responder responder) {
    answer(responder, put_blob(store, request, body), [](http::Response response) { return response; });
  }, {.where = http::Where::on_pool, .body_bytes_max = UINT64_MAX});
  router.add(Method::post, "/api/v1/snapshots", [&runs](Request& request, Responder responder) {
    answer(responder, put_snapshot(runs, request), [](http::Response response) { return response; });
  });
}

}  // namespace slipway::api

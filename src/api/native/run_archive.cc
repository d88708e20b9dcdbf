#include "api/native/run_archive.h"

#include <fmt/format.h>

#include "api/api.h"
#include "api/native/run_files.h"
#include "api/send_blob.h"
#include "base/archive.h"
#include "base/log.h"
#include "base/text.h"

namespace slipway::api {
namespace {

using http::Request;
using http::Responder;
using registry::Artifact;

constexpr size_t kFilesAtOnce = 1'000;
constexpr std::uint64_t kPieceBytes = 1 << 20;

struct Rooms {
  tracking::Tracking& tracking;
  registry::Artifacts& artifacts;
  store::Store& store;
};

struct Wanted {
  registry::Owner owner;
  std::string folder;  // "" for all
  ArchiveFormat format = ArchiveFormat::tar;
  std::vector<Artifact> first;  // of the files; never empty
};

Result<Wanted> wanted_of(const Rooms& rooms, const Request& request) {
  const std::string_view format = request.query_value("format").value_or("tar");
  const auto known = parse_archive_format(format);
  if (!known)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'format' is '{}'; expected tar or zip", clean_utf8(format, 50))};
  Wanted wanted{TRY(run_owner(rooms.tracking, project_of(request), RunId(request.parameter("run")))),
                std::string(request.query_value("path").value_or("")),
                *known,
                {}};
  if (!wanted.folder.empty()) TRY(check_relative_path(wanted.folder));
  wanted.first = TRY(rooms.artifacts.some(wanted.owner, wanted.folder, "", kFilesAtOnce));
  if (!wanted.first.empty()) return wanted;
  return Error{ErrorCode::not_found, fmt::format("the run {} has no files in '{}'", clean_utf8(wanted.owner.id, 100),
                                                 clean_utf8(wanted.folder, 300))};
}

http::Response head_of(const Wanted& wanted) {
  const bool is_tar = wanted.format == ArchiveFormat::tar;
  const std::string_view name = wanted.folder.empty() ? std::string_view(wanted.owner.id) : wanted.folder;
  http::Response head;
  head.compressible = false;
  head.headers.set("Content-Type", is_tar ? "application/x-tar" : "application/zip")
      .set("Content-Disposition", attachment_named(std::string(name) + (is_tar ? ".tar" : ".zip")))
      .set("X-Content-Type-Options", "nosniff");
  return head;
}

/// One file with what stands around it; false when the client is gone, an error when its bytes are.
Result<void> send_file(const Rooms& rooms, const Artifact& file, Archive& archive, http::BodyWriter& body) {
  const auto blob = TRY(rooms.store.open_blob(file.hash));
  const std::uint64_t size = blob->size();
  std::string out = archive.head({file.path, size, file.created_at});
  for (std::uint64_t at = 0; at < size;) {
    const std::string piece = TRY(blob->read(at, std::min(kPieceBytes, size - at)));
    if (piece.empty())
      return Error{ErrorCode::data_loss, fmt::format("the blob {} ends before its size", render(file.hash))};
    archive.pass(piece);
    TRY(body.write(out + piece));
    out.clear();
    at += piece.size();
  }
  return body.write(out + archive.tail());
}

Result<void> send_all(const Rooms& rooms, Wanted& wanted, http::BodyWriter& body) {
  const auto archive = make_archive(wanted.format);
  size_t files = 0;
  for (auto some = std::move(wanted.first); !some.empty();) {
    for (const Artifact& file : some) {
      if (wanted.format == ArchiveFormat::zip && ++files > kZipFilesMax)
        return Error{ErrorCode::too_large, fmt::format("more than {} files in a zip; fetch a tar", kZipFilesMax)};
      TRY(send_file(rooms, file, *archive, body));
    }
    some = TRY(rooms.artifacts.some(wanted.owner, wanted.folder, some.back().path, kFilesAtOnce));
  }
  return body.write(archive->end());
}

void send(const Rooms& rooms, const Request& request, const Responder& responder) {
  auto wanted = wanted_of(rooms, request);
  if (!wanted.ok()) return responder.send(error_response(wanted.error()));
  const auto body = responder.stream(head_of(*wanted));
  const auto sent = send_all(rooms, *wanted, *body);
  if (sent.ok() || sent.error().code == ErrorCode::cancelled) return;
  // The head is out already: the connection's end tells the client that something is missing.
  log_error("api", "an archive could not be sent to its end",
            {{"run", wanted->owner.id}, {"folder", wanted->folder}, {"why", sent.error().message}});
  body->abort();
}

}  // namespace

void add_run_archive(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts,
                     store::Store& store) {
  const Rooms rooms{tracking, artifacts, store};
  router.add(http::Method::get, "/api/v1/runs/{run}/artifacts/archive",
             [rooms](Request& request, Responder responder) { send(rooms, request, responder); });
}

}  // namespace slipway::api

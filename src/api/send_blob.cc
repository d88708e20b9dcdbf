#include "api/send_blob.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace slipway::api {
namespace {

constexpr std::uint64_t kPieceBytes = 1 << 20;

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// A quoted file name for a header: what could end the quotes or the line is left out.
std::string header_name(std::string_view path) {
  std::string out;
  for (char c : file_name(path)) {
    if (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f && c != '"' && c != '\\')
      out += c;
  }
  return out;
}

/// If-Match compares strongly: a weak tag is nobody's.
bool names_tag(std::string_view if_match, std::string_view tag) {
  for (const std::string& candidate : split(if_match, ',')) {
    if (trim(candidate) == "*" || trim(candidate) == tag) return true;
  }
  return false;
}

/// A refusal in the protocol's own form, with the status that HTTP has for it.
http::Response refusal(RenderError render_error, int status, std::string sentence) {
  http::Response response = render_error({ErrorCode::failed_precondition, std::move(sentence)});
  response.status = status;
  return response;
}

void set_fields(http::Response& head, const std::string& tag, std::string_view policy) {
  head.compressible = false;
  head.headers.set("ETag", tag)
      .set("Accept-Ranges", "bytes")
      .set("X-Content-Type-Options", "nosniff")
      .set("Content-Security-Policy", std::string(policy));
}

/// The blob's own file, when it has one that can be sent.
std::optional<UniqueFd> file_of(const store::Reader& blob) {
  const auto path = blob.local_file();
  if (!path) return std::nullopt;
  auto file = open_file(*path, O_RDONLY);
  if (!file.ok()) return std::nullopt;  // perhaps swept a moment ago: the reader still has it
  return std::move(*file);
}

/// The bytes behind a head that is out already: when some are missing, the connection's end tells the client.
void send_bytes(store::Reader& blob, const http::ByteRange& range, http::BodyWriter& body,
                const registry::Artifact& artifact) {
  for (std::uint64_t sent = 0; sent < range.length;) {
    const auto piece = blob.read(range.first + sent, std::min(kPieceBytes, range.length - sent));
    if (!piece.ok() || piece->empty()) {
      log_error("api", "an artifact could not be read to its end",
                {{"path", artifact.path}, {"hash", render(artifact.hash)}});
      return body.abort();
    }
    if (!body.write(*piece).ok()) return;
    sent += piece->size();
  }
}

}  // namespace

std::string attachment_named(std::string_view path) {
  return fmt::format("attachment; filename=\"{}\"", header_name(path));
}

BlobAnswer answer_with(const http::Request& request, const registry::Artifact& artifact, std::uint64_t size,
                       bool as_attachment, RenderError render_error, std::string_view policy) {
  using Kind = http::RangeRequest::Kind;
  const std::string tag = '"' + render(artifact.hash) + '"';
  http::Response head;
  set_fields(head, tag, policy);
  const std::string_view if_match = request.headers.get("If-Match"),
                         if_none_match = request.headers.get("If-None-Match");
  if (!if_match.empty() && !names_tag(if_match, tag)) {
    http::Response refused = refusal(
        render_error, 412,
        fmt::format("If-Match names other bytes than '{}' has now, which are {}", clean_utf8(artifact.path, 300), tag));
    refused.headers.set("ETag", tag);
    return {std::move(refused), std::nullopt};
  }
  if (!if_none_match.empty() && http::matches_tag(if_none_match, tag)) {
    head.status = 304;
    return {std::move(head), std::nullopt};
  }
  const http::RangeRequest wanted = http::requested_range(request, tag, size);
  if (wanted.kind == Kind::unsatisfiable) {
    http::Response refused = refusal(render_error, 416,
                                     fmt::format("the range begins behind the end of '{}', which has {} bytes",
                                                 clean_utf8(artifact.path, 300), size));
    refused.headers.set("Content-Range", http::render_content_range(wanted, size));
    return {std::move(refused), std::nullopt};
  }
  if (wanted.kind == Kind::part) {
    head.status = 206;
    head.headers.set("Content-Range", http::render_content_range(wanted, size));
  }
  head.headers.set("Content-Type", artifact.content_type.empty() ? "application/octet-stream" : artifact.content_type);
  if (as_attachment) head.headers.set("Content-Disposition", attachment_named(artifact.path));
  return {std::move(head), wanted.kind == Kind::part ? wanted.range : http::ByteRange{0, size}};
}

void send_artifact(const http::Request& request, const http::Responder& responder, store::Store& store,
                   const registry::Artifact& artifact, bool as_attachment, RenderError render_error,
                   std::string_view policy) {
  const auto blob = store.open_blob(artifact.hash);
  if (!blob.ok()) return responder.send(render_error(blob.error()));
  BlobAnswer answer = answer_with(request, artifact, (*blob)->size(), as_attachment, render_error, policy);
  if (!answer.range) return responder.send(std::move(answer.head));
  if (auto file = file_of(**blob))
    return responder.send_file(std::move(answer.head), std::move(*file), answer.range->first, answer.range->length);
  const auto body = responder.stream(std::move(answer.head), answer.range->length);
  send_bytes(**blob, *answer.range, *body, artifact);
}

}  // namespace slipway::api

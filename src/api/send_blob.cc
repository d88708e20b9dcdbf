#include "api/send_blob.h"

#include <fmt/format.h>

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
    if (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f && c != '"' && c != '\\') out += c;
  }
  return out;
}

}  // namespace

std::optional<ByteRange> parse_range(std::string_view header, std::uint64_t size) {
  if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos) return std::nullopt;
  header.remove_prefix(6);
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_u64(trim(header.substr(0, dash))), last = parse_u64(trim(header.substr(dash + 1)));
  if (!first && !last) return std::nullopt;
  if (!first) {
    const std::uint64_t length = std::min(*last, size);
    return ByteRange{size - length, length, length > 0};
  }
  if (last && *last < *first) return std::nullopt;
  if (*first >= size) return ByteRange{0, 0, false};
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{*first, end - *first + 1, true};
}

void send_artifact(const http::Request& request, const http::Responder& responder, store::Store& store, const registry::Artifact& artifact,
                   bool as_attachment, http::Response (*render_error)(const Error&)) {
  const std::string tag = '"' + render(artifact.hash) + '"';
  http::Response head;
  head.compressible = false;
  head.headers.set("ETag", tag).set("Accept-Ranges", "bytes").set("X-Content-Type-Options", "nosniff").set("Content-Security-Policy", "sandbox");
  if (request.headers.get("If-None-Match") == tag) {
    head.status = 304;
    return responder.send(std::move(head));
  }
  const auto reader = store.open_blob(artifact.hash);
  if (!reader.ok()) return responder.send(render_error(reader.error()));
  const std::uint64_t size = (*reader)->size();
  const auto range = parse_range(request.headers.get("Range"), size);
  if (range && !range->satisfiable) {
    head.status = 416;
    head.headers.set("Content-Range", fmt::format("bytes */{}", size));
    return responder.send(std::move(head));
  }
  const std::uint64_t first = range ? range->first : 0, length = range ? range->length : size;
  if (range) {
    head.status = 206;
    head.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", first, first + length - 1, size));
  }
  head.headers.set("Content-Type", artifact.content_type.empty() ? "application/octet-stream" : artifact.content_type);
  if (as_attachment) head.headers.set("Content-Disposition", fmt::format("attachment; filename=\"{}\"", header_name(artifact.path)));
  const auto body = responder.stream(std::move(head), length);
  for (std::uint64_t sent = 0; sent < length;) {
    const auto piece = (*reader)->read(first + sent, std::min(kPieceBytes, length - sent));
    if (!piece.ok() || piece->empty()) {
      // The head is out already: the missing bytes tell the client.
      return log_error("api", "an artifact could not be read to its end", {{"path", artifact.path}, {"hash", render(artifact.hash)}});
    }
    if (!body->write(*piece).ok()) return;
    sent += piece->size();
  }
}

}  // namespace slipway::api

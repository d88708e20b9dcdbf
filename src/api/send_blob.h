// Sending stored bytes: whole or a range, with an ETag, without holding them in memory. For pool threads.
#pragma once

#include <cstdint>

#include "http/http.h"
#include "http/range.h"
#include "registry/artifacts.h"
#include "store/store.h"

namespace slipway::api {

using RenderError = http::Response (*)(const Error&);

/// What a browser may do with bytes that a user uploaded, when it shows them as a page: nothing; or, for the frames in
/// which the web UI shows HTML, run what is written in the page itself, as nobody, without any way out of it.
inline constexpr std::string_view kNothing = "sandbox";
inline constexpr std::string_view kOwnScripts =
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Content-Disposition for saving under the last part of `path`.
std::string attachment_named(std::string_view path);

/// Answers with the artifact's bytes: 200, 206 for `Range: bytes=a-b`, 304 when the client has them, 412 when it wants
/// others, 416 for a range outside. `as_attachment` makes browsers save instead of show; what users uploaded is never
/// run as a page of ours.
void send_artifact(const http::Request& request, const http::Responder& responder, store::Store& store,
                   const registry::Artifact& artifact, bool as_attachment, RenderError render_error,
                   std::string_view policy = kNothing);

/// What a request gets of an artifact of `size` bytes. Pure.
struct BlobAnswer {
  http::Response head;                   // whole, body included, when there is no `range`
  std::optional<http::ByteRange> range;  // the bytes to send behind the head; may be empty
};
BlobAnswer answer_with(const http::Request& request, const registry::Artifact& artifact, std::uint64_t size,
                       bool as_attachment, RenderError render_error, std::string_view policy = kNothing);

}  // namespace slipway::api

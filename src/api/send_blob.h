// Sending stored bytes: whole or a range, with an ETag, without holding them in memory. For pool threads.
#pragma once

#include <string_view>

#include "http/http.h"
#include "registry/artifacts.h"
#include "store/store.h"

namespace slipway::api {

/// Answers with the artifact's bytes: 200, 206 for `Range: bytes=a-b`, 304 when the client has them, 416 for a range
/// outside. `as_attachment` makes browsers save instead of show; what users uploaded is never run as a page of ours.
void send_artifact(const http::Request& request, const http::Responder& responder, store::Store& store, const registry::Artifact& artifact,
                   bool as_attachment, http::Response (*render_error)(const Error&));

/// A first and last byte within `size`, from a Range header of one range. nullopt: no range, or one to ignore.
struct ByteRange {
  std::uint64_t first = 0, length = 0;
  bool satisfiable = true;
};
std::optional<ByteRange> parse_range(std::string_view header, std::uint64_t size);

}  // namespace slipway::api

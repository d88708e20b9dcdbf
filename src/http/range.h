// Range and conditional requests (RFC 9110, 13 and 14) as pure functions; handlers decide with them what to send.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/http.h"

namespace slipway::http {

/// A piece of a body: `length` bytes from `first` on.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool operator==(const ByteRange&) const = default;
};

/// What a Range header asks of a body of `size` bytes.
struct RangeRequest {
  enum class Kind {
    whole,          // no range, one that is not understood, or several at once: send everything (200)
    part,           // send `range` (206)
    unsatisfiable,  // begins behind the end (416)
  };
  Kind kind = Kind::whole;
  ByteRange range;
};

/// "bytes=0-99", "bytes=100-", "bytes=-5". Never an error: what is not understood is ignored, as the RFC wants.
RangeRequest parse_range(std::string_view header, std::uint64_t size);

/// "bytes 0-99/1000", and for kind unsatisfiable "bytes */1000": the Content-Range of the answer.
std::string render_content_range(const RangeRequest& request, std::uint64_t size);

/// Whether an If-None-Match header names `tag` (with its quotes), or is "*". Weak tags compare like strong ones. The
/// answer is then 304 for GET and HEAD, 412 for others.
bool matches_tag(std::string_view if_none_match, std::string_view tag);

/// What this request gets of a body of `size` bytes named by `tag`: honours If-Range, so that a client that continues
/// an older body gets the whole new one.
RangeRequest requested_range(const Request& request, std::string_view tag, std::uint64_t size);

}  // namespace slipway::http

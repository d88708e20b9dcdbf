#include <cstdint>
#include <string_view>

#include "http/encoding.h"
#include "http/range.h"
#include "http/url.h"

// What this room parses itself of what strangers send: queries, percent-encoding, ranges, tags, compressed bodies.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string decoded = url_decode(text);
  if (url_decode(url_encode(decoded)) != decoded) __builtin_trap();
  std::string query;
  for (const auto& [key, value] : parse_query(text))
    query += (query.empty() ? "" : "&") + url_encode(key) + "=" + url_encode(value);
  if (parse_query(query) != parse_query(text)) __builtin_trap();
  for (const std::uint64_t bytes : {std::uint64_t(0), std::uint64_t(1), std::uint64_t(1000), UINT64_MAX}) {
    const RangeRequest range = parse_range(text, bytes);
    if (range.kind != RangeRequest::Kind::part) continue;
    // A part lies inside the body, and its Content-Range names it.
    if (range.range.length == 0 || range.range.length > bytes || range.range.first > bytes - range.range.length)
      __builtin_trap();
    if (render_content_range(range, bytes).find("bytes ") != 0) __builtin_trap();
  }
  matches_tag(text, "\"tag\"");
  choose_encoding(text);
  for (const char* encoding : {"gzip", "zstd"}) {
    const auto body = decode_body(encoding, std::string(text), 1 << 16);
    if (body.ok() && body->size() > 1 << 16) __builtin_trap();
  }
  return 0;
}

// Content encodings: gzip, deflate and zstd in, gzip and zstd out.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::http {

inline constexpr size_t kCompressBytesMin = 1024;

/// The body without its encoding ("gzip", "deflate", "zstd", "identity"). unsupported for another encoding,
/// invalid_argument for broken bytes, too_large past `bytes_max` decompressed bytes.
Result<std::string> decode_body(std::string_view encoding, std::string body, std::uint64_t bytes_max);

enum class Encoding { identity, gzip, zstd };

/// The best encoding that an Accept-Encoding header allows; "gzip;q=0" forbids one.
Encoding choose_encoding(std::string_view accept);
std::string_view name(Encoding encoding);
/// Fast rather than small (level 1).
std::string encode_body(Encoding encoding, std::string_view body);

}  // namespace slipway::http

// Small helpers on strings that several rooms need.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway {

std::string to_hex(std::span<const unsigned char> bytes);
std::optional<std::vector<unsigned char>> from_hex(std::string_view text);

std::string base64_encode(std::string_view bytes);
/// Standard alphabet with padding; nullopt on anything else.
std::optional<std::string> base64_decode(std::string_view text);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);

/// The whole text as a number, or nullopt: no spaces, no leftovers, no overflow.
std::optional<std::int64_t> parse_i64(std::string_view text);
std::optional<std::uint64_t> parse_u64(std::string_view text);
/// Also takes nan, inf, infinity in any case.
std::optional<double> parse_double(std::string_view text);

/// Shortest decimal that reads back as the same double; "NaN", "Infinity", "-Infinity" for the others.
std::string render_double(double value);

/// The candidate with the smallest edit distance, if one is near enough to be a likely slip of the pen.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// `text` for a POSIX shell as one word.
std::string shell_quote(std::string_view text);

/// Valid UTF-8 of at most `max_bytes`, cut at a character's edge; each invalid byte becomes U+FFFD.
std::string clean_utf8(std::string_view text, size_t max_bytes = SIZE_MAX);
bool is_utf8(std::string_view text);

/// "1.5 GiB", "340 B".
std::string render_bytes(std::uint64_t bytes);
/// "16GiB", "1.5 MB", "1024" -> bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);

/// A relative path inside some folder: no empty, "." or ".." part, no leading slash, no NUL or backslash, UTF-8 of at
/// most 1024 bytes. Names from clients pass here before they are used as a name of anything.
Result<void> check_relative_path(std::string_view path);

}  // namespace slipway

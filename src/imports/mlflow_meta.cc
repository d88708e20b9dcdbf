#include "imports/mlflow_meta.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::imports {
namespace {

/// The character that begins at `at`, of valid UTF-8, and its length in bytes.
std::pair<std::uint32_t, size_t> character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  const size_t length = byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  std::uint32_t code = byte(0) & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3Fu);
  return {code, length};
}

bool needs_escape(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
         code == 0xFFFE || code == 0xFFFF;
}

}  // namespace

std::string yaml_quoted(std::string_view given) {
  const std::string text = clean_utf8(given);
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const auto [code, length] = character_at(text, at);
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (needs_escape(code)) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out.append(text, at, length);
    }
    at += length;
  }
  return out + "\"";
}

MetaFile& MetaFile::line(std::string_view key, std::string_view value) {
  content_ += fmt::format("{}: {}\n", key, value);
  return *this;
}

MetaFile& MetaFile::text(std::string_view key, std::string_view value) { return line(key, yaml_quoted(value)); }

MetaFile& MetaFile::text_or_null(std::string_view key, std::string_view value) {
  return value.empty() ? null(key) : text(key, value);
}

MetaFile& MetaFile::integer(std::string_view key, std::int64_t value) { return line(key, std::to_string(value)); }

MetaFile& MetaFile::null(std::string_view key) { return line(key, "null"); }

MetaFile& MetaFile::texts(std::string_view key, const Pairs& values) {
  std::string all;
  for (const auto& [name, value] : values)
    all += (all.empty() ? "" : ", ") + yaml_quoted(name) + ": " + yaml_quoted(value);
  return line(key, "{" + all + "}");
}

}  // namespace slipway::imports

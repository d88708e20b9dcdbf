// Manifests: a table beside the files, one row per sample. CSV with a header line (RFC 4180) or one JSON object per
// line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.h"
#include "base/result.h"
#include "data/pattern.h"

namespace slipway::data {

inline constexpr std::uint64_t kManifestBytesMax = 1ull << 30;

/// Sample key -> column -> value (text from CSV, whatever stands there in JSON).
using Manifest = std::unordered_map<std::string, std::map<std::string, Json>>;

/// Rows are named by a column `key`, or by columns with the names of the key's fields. invalid_argument names the line.
Result<Manifest> parse_manifest(std::string_view text, std::string_view file_name, const Pattern& key);

/// The records of a CSV text. invalid_argument names the line of a quote that is never closed.
Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text, std::string_view file_name);

}  // namespace slipway::data

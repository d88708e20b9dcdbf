// The files of the web UI inside the program. tools/embed_ui writes the table from ui/dist at build time.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace slipway::api {

struct UiAsset {
  std::string_view path;          // "/assets/index-1a2b3c4d.js"
  std::string_view content_type;
  std::string_view etag;          // with its quotes
  bool is_hashed;                 // the name changes with the content, so it may be kept for ever
  size_t offset, size;            // in the embedded bytes, as it is
  size_t gzip_offset, gzip_size;  // the same, compressed
};

/// Sorted by path; empty when the program was built without the UI.
std::span<const UiAsset> ui_assets();

}  // namespace slipway::api

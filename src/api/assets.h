// Files inside the program: the web UI and the API's description. tools/embed_assets writes the tables at build time.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "http/http.h"

namespace slipway::api {

struct Asset {
  std::string_view path;  // "/assets/index-1a2b3c4d.js"
  std::string_view content_type;
  std::string_view etag;          // with its quotes
  bool is_hashed;                 // the name changes with the content, so it may be kept for ever
  size_t offset, size;            // in the embedded bytes, as it is
  size_t gzip_offset, gzip_size;  // the same, compressed
};

struct Assets {
  std::span<const Asset> files;  // sorted by path
  const char* bytes = nullptr;   // where the offsets count from

  const Asset* find(std::string_view path) const;
  /// The asset's bytes, not compressed.
  std::string_view content(const Asset& asset) const { return {bytes + asset.offset, asset.size}; }
};

/// ui/dist; empty when the program was built without the UI.
Assets ui_assets();
/// openapi.json alone.
Assets openapi_assets();

/// The whole file, compressed for those who take it; 304 for those who have it.
http::Response asset_response(const http::Request& request, const Assets& assets, const Asset& asset);

/// Whether a comma-separated header names the token (q=0 refuses it).
bool accepts(std::string_view header, std::string_view wanted);

}  // namespace slipway::api

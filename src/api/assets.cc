#include "api/assets.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::api {

const Asset* Assets::find(std::string_view path) const {
  const auto found = std::lower_bound(files.begin(), files.end(), path,
                                      [](const Asset& asset, std::string_view wanted) { return asset.path < wanted; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

bool accepts(std::string_view header, std::string_view wanted) {
  for (const std::string& part : split(header, ',')) {
    const size_t semicolon = part.find(';');
    if (!equals_ignore_case(trim(std::string_view(part).substr(0, semicolon)), wanted)) continue;
    const std::string_view rest =
        semicolon == std::string::npos ? "" : trim(std::string_view(part).substr(semicolon + 1));
    return rest != "q=0" && rest != "q=0.0" && rest != "q=0.00" && rest != "q=0.000";
  }
  return false;
}

http::Response asset_response(const http::Request& request, const Assets& assets, const Asset& asset) {
  http::Response response;
  response.headers.set("Content-Type", std::string(asset.content_type))
      .set("ETag", std::string(asset.etag))
      .set("Vary", "Accept-Encoding")
      .set("Cache-Control", asset.is_hashed ? "public, max-age=31536000, immutable" : "no-cache");
  response.compressible = false;  // already done, at build time and better
  if (request.headers.get("If-None-Match").find(asset.etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  if (accepts(request.headers.get("Accept-Encoding"), "gzip")) {
    response.headers.set("Content-Encoding", "gzip");
    response.body.assign(assets.bytes + asset.gzip_offset, asset.gzip_size);
  } else {
    response.body = assets.content(asset);
  }
  return response;
}

}  // namespace slipway::api

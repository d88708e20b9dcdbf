#include "api/ui.h"

#include <algorithm>
#include <array>

#include "api/api.h"
#include "base/text.h"

extern "C" const char slipway_ui_bytes[];

namespace slipway::api {
namespace {

// Scripts, styles and connections from this server only; pictures also from what the page itself made. Nobody may frame us.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

// Paths that belong to machines: an unknown one below them is an answer in JSON, also to a browser.
constexpr std::array<std::string_view, 8> kApiPrefixes = {"/api/", "/ajax-api/", "/v1/", "/v2/", "/git/", "/hooks/", "/get-artifact", "/assets/"};

constexpr char kNotBuilt[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Slipway</title>"
    "<h1>This server was built without the web UI</h1><p>Build it and then the server again:</p><pre>cd ui\nnpm ci\nnpm run build\n"
    "cd ..\nmake build</pre><p>Everything else works: try <code>slipway status</code>, or <a href=\"/api/v1/server\">/api/v1/server</a>.</p></html>";

const UiAsset* find(std::span<const UiAsset> assets, std::string_view path) {
  const auto found = std::lower_bound(assets.begin(), assets.end(), path, [](const UiAsset& asset, std::string_view wanted) { return asset.path < wanted; });
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

bool belongs_to_machines(std::string_view path) {
  return std::any_of(kApiPrefixes.begin(), kApiPrefixes.end(), [&](std::string_view prefix) { return path.starts_with(prefix); });
}

/// Whether a comma-separated header names the token (q=0 refuses it).
bool accepts(std::string_view header, std::string_view wanted) {
  for (const std::string& part : split(header, ',')) {
    const size_t semicolon = part.find(';');
    if (!equals_ignore_case(trim(std::string_view(part).substr(0, semicolon)), wanted)) continue;
    const std::string_view rest = semicolon == std::string::npos ? "" : trim(std::string_view(part).substr(semicolon + 1));
    return rest != "q=0" && rest != "q=0.0" && rest != "q=0.00" && rest != "q=0.000";
  }
  return false;
}

void secure(http::Response& response) {
  response.headers.set("Content-Security-Policy", kContentSecurityPolicy)
      .set("X-Content-Type-Options", "nosniff")
      .set("Referrer-Policy", "same-origin")
      .set("Cross-Origin-Opener-Policy", "same-origin");
}

http::Response not_built() {
  http::Response response;
  response.headers.set("Content-Type", "text/html; charset=utf-8").set("Cache-Control", "no-store");
  response.body = kNotBuilt;
  secure(response);
  return response;
}

http::Response file(const http::Request& request, const UiAsset& asset, const char* bytes) {
  http::Response response;
  response.headers.set("Content-Type", std::string(asset.content_type))
      .set("ETag", std::string(asset.etag))
      .set("Vary", "Accept-Encoding")
      .set("Cache-Control", asset.is_hashed ? "public, max-age=31536000, immutable" : "no-cache");
  response.compressible = false;  // already done, at build time and better
  secure(response);
  if (request.headers.get("If-None-Match").find(asset.etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  if (accepts(request.headers.get("Accept-Encoding"), "gzip")) {
    response.headers.set("Content-Encoding", "gzip");
    response.body.assign(bytes + asset.gzip_offset, asset.gzip_size);
  } else {
    response.body.assign(bytes + asset.offset, asset.size);
  }
  return response;
}

}  // namespace

http::Response ui_response(const http::Request& request, std::span<const UiAsset> assets, const char* bytes) {
  if (const UiAsset* asset = find(assets, request.path)) return file(request, *asset, bytes);
  const bool is_browser = accepts(request.headers.get("Accept"), "text/html");
  if (belongs_to_machines(request.path) || (!is_browser && request.path != "/")) {
    return error_response({ErrorCode::not_found, "there is nothing at " + clean_utf8(request.path, 200) + "; GET /api/v1/openapi.json lists what there is"});
  }
  const UiAsset* index = find(assets, "/index.html");
  return index ? file(request, *index, bytes) : not_built();
}

void add_ui(http::Router& router) {
  router.set_fallback([](const http::Request& request, int status) {
    const bool reads = request.method == http::Method::get || request.method == http::Method::head;
    if (status == 404 && reads) return ui_response(request, ui_assets(), slipway_ui_bytes);
    const std::string what = std::string(http::name(request.method)) + " " + clean_utf8(request.path, 200);
    if (status == 404) return error_response({ErrorCode::not_found, "there is nothing at " + what + "; GET /api/v1/openapi.json lists what there is"});
    http::Response response = error_response({ErrorCode::unsupported, what + " is not offered; the Allow header lists the methods this path has"});
    response.status = status;
    return response;
  });
}

}  // namespace slipway::api

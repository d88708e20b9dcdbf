#include "api/ui.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/api.h"
#include "base/json.h"
#include "base/text.h"

namespace slipway::api {
namespace {

// Scripts, styles, connections, sounds and frames from this server only; pictures also from what the page itself made.
// Nobody may frame us.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; "
    "media-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

// Paths that belong to machines: an unknown one below them is an answer in JSON, also to a browser.
constexpr std::array<std::string_view, 9> kApiPrefixes = {"/api/",   "/ajax-api/",    "/v1/",     "/v2/",    "/git/",
                                                          "/hooks/", "/get-artifact", "/assets/", "/signed/"};

constexpr char kNotBuilt[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Slipway</title>"
    "<h1>This server was built without the web UI</h1><p>Build it and then the server again:</p><pre>cd ui\nnpm ci\nnpm run build\n"
    "cd ..\nmake build</pre><p>Everything else works: try <code>slipway status</code>, or <a href=\"/api/v1/server\">/api/v1/server</a>.</p></html>";

constexpr std::string_view kIndex = "/index.html";

bool belongs_to_machines(std::string_view path) {
  return std::any_of(kApiPrefixes.begin(), kApiPrefixes.end(),
                     [&](std::string_view prefix) { return path.starts_with(prefix); });
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
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

http::Response file(const http::Request& request, const Assets& assets, const Asset& asset) {
  http::Response response = asset_response(request, assets, asset);
  secure(response);
  return response;
}

/// The page itself, which says below which path the server is shown: the addresses in it begin with that, and scripts
/// read it from the root element for those that they make.
http::Response page(const http::Request& request, const Assets& assets, const Asset& index, std::string_view prefix) {
  if (prefix.empty()) return file(request, assets, index);
  http::Response response;
  // No ETag: another prefix makes another page of the same file.
  response.headers.set("Content-Type", std::string(index.content_type)).set("Cache-Control", "no-store");
  response.body = assets.content(index);
  replace_all(response.body, "=\"/", fmt::format("=\"{}/", prefix));
  replace_all(response.body, "<html ", fmt::format("<html data-prefix=\"{}\" ", prefix));
  secure(response);
  return response;
}

/// Clients of MLflow look for their own form of an error, also where there is nothing.
http::Response nothing_of_mlflow(const http::Request& request, int status) {
  JsonWriter json;
  json.begin_object()
      .member("error_code", "ENDPOINT_NOT_FOUND")
      .member("message", std::string(http::name(request.method)) + " " + clean_utf8(request.path, 200) +
                             " is not offered; docs/mlflow.md lists what is")
      .end_object();
  return http::Response::json(json.take(), status);
}

bool is_of_mlflow(std::string_view path) {
  return path.starts_with("/api/2.0/") || path.starts_with("/api/3.0/") || path.starts_with("/ajax-api/");
}

}  // namespace

http::Response ui_response(const http::Request& request, const Assets& assets, std::string_view static_prefix) {
  const Asset* asset = assets.find(request.path);
  if (asset && asset->path != kIndex) return file(request, assets, *asset);
  const bool is_browser = accepts(request.headers.get("Accept"), "text/html");
  if (belongs_to_machines(request.path) || (!is_browser && request.path != "/" && request.path != kIndex)) {
    return error_response({ErrorCode::not_found, "there is nothing at " + clean_utf8(request.path, 200) +
                                                     "; GET /api/v1/openapi.json lists what there is"});
  }
  const Asset* index = assets.find(kIndex);
  return index ? page(request, assets, *index, static_prefix) : not_built();
}

void add_ui(http::Router& router, const std::string& static_prefix) {
  router.set_fallback([static_prefix](const http::Request& request, int status) {
    if (is_of_mlflow(request.path)) return nothing_of_mlflow(request, status);
    const bool reads = request.method == http::Method::get || request.method == http::Method::head;
    if (status == 404 && reads) return ui_response(request, ui_assets(), static_prefix);
    const std::string what = std::string(http::name(request.method)) + " " + clean_utf8(request.path, 200);
    if (status == 404)
      return error_response(
          {ErrorCode::not_found, "there is nothing at " + what + "; GET /api/v1/openapi.json lists what there is"});
    http::Response response = error_response(
        {ErrorCode::unsupported, what + " is not offered; the Allow header lists the methods this path has"});
    response.status = status;
    return response;
  });
}

}  // namespace slipway::api

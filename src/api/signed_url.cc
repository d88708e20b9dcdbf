#include "api/signed_url.h"

#include "base/hash.h"
#include "base/text.h"

namespace slipway::api {
namespace {

/// In time that does not depend on where they differ.
bool equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

std::string to_hex_text(std::string_view bytes) {
  return to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

}  // namespace

std::string SignedUrls::signature(http::Method method, std::string_view path, std::int64_t expires_s) const {
  std::string message(http::name(method));
  message.append("\n").append(path).append("\n").append(std::to_string(expires_s));
  return to_hex_text(hmac_sha256(key_, message));
}

std::string SignedUrls::sign(http::Method method, std::string_view path, Duration lifetime) const {
  const std::int64_t expires_s = (clock_.now() + std::min(lifetime, kSignedUrlLifetimeMax)).micros / 1'000'000;
  std::vector<std::string> parts = split(path, '/');
  for (std::string& part : parts) part = http::url_encode(part);
  return join(parts, "/") + "?expires=" + std::to_string(expires_s) +
         "&signature=" + signature(method, path, expires_s);
}

Result<void> SignedUrls::check(const http::Request& request) const {
  const auto expires_s = parse_i64(request.query_value("expires").value_or(""));
  const std::string_view given = request.query_value("signature").value_or("");
  // A HEAD is part of what a GET may.
  const http::Method method = request.method == http::Method::head ? http::Method::get : request.method;
  if (!expires_s || !equal(given, signature(method, request.path, *expires_s)))
    return Error{ErrorCode::permission_denied, "the URL was not signed by this server for this; ask for a new one"};
  if (clock_.now().micros / 1'000'000 > *expires_s)
    return Error{ErrorCode::permission_denied, "the signed URL has expired; ask for a new one"};
  return {};
}

std::string base_url_of(const http::Request& request) {
  const std::string_view forwarded = request.headers.get("X-Forwarded-Proto");
  const bool is_https = forwarded.empty() ? request.peer.tls : equals_ignore_case(trim(forwarded), "https");
  return std::string(is_https ? "https://" : "http://") + std::string(request.headers.get("Host")) +
         std::string(request.headers.get(kStaticPrefixHeader));
}

}  // namespace slipway::api

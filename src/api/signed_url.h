// URLs that speak for themselves: whoever holds one may do the one thing that it says until it expires, without a
// token. For clients that hand transfers to something that knows no credentials. The gate lets paths below
// kSignedPrefix pass; their handlers must ask check().
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/http.h"

namespace slipway::api {

inline constexpr std::string_view kSignedPrefix = "/signed/";
inline constexpr Duration kSignedUrlLifetimeMax = std::chrono::hours(24 * 7);

class SignedUrls {
 public:
  /// `key` is secret; servers behind one name share it.
  SignedUrls(std::string key, const Clock& clock) : key_(std::move(key)), clock_(clock) {}

  /// "/signed/…?expires=…&signature=…" for a path that begins with kSignedPrefix, percent-encoded here part by part.
  std::string sign(http::Method method, std::string_view path, Duration lifetime) const;
  /// permission_denied for a request whose URL was not signed for its method and path, or has expired.
  Result<void> check(const http::Request& request) const;

 private:
  std::string signature(http::Method method, std::string_view path, std::int64_t expires_s) const;

  const std::string key_;
  const Clock& clock_;
};

/// Where the gate says that a request came below the server's --static-prefix: the prefix, else empty.
inline constexpr std::string_view kStaticPrefixHeader = "X-Slipway-Internal-Static-Prefix";

/// "https://name:port/prefix" as this client calls us: by its Host header and path, and what a proxy in front says of
/// the scheme.
std::string base_url_of(const http::Request& request);

}  // namespace slipway::api

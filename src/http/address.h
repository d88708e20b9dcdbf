// Where an outgoing request goes: URLs in their parts, names resolved, and which addresses anybody may be led to.
#pragma once

#include <netdb.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::http {

/// The server of a URL.
struct Origin {
  std::string host;
  int port = 0;
  bool tls = false;
  std::string authority;  // for the Host header
};

/// "https://example.org:8443" -> its parts; nothing may follow but one '/'. invalid_argument otherwise.
Result<Origin> parse_origin(std::string_view url);

/// A whole URL cut for a Client: "https://example.org/hook?x=1" -> {"https://example.org", "/hook?x=1"}. A fragment,
/// credentials, spaces and control characters are refused.
struct CutUrl {
  std::string server, target;
};
Result<CutUrl> cut_url(std::string_view url);

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;
/// Every address of the host; unavailable when it has none. Blocks for the name service.
Result<Addresses> resolve(const std::string& host, int port);

/// Whether an address belongs to the public internet: not loopback, private, link-local, shared, reserved, multicast or
/// of documentation (the registries of RFC 6890), also not when an IPv6 address carries such an IPv4 address.
bool is_public(const sockaddr& address);
/// The refusal of an address that is not.
Error not_public(std::string_view host, const sockaddr& address);

/// permission_denied when any address of the URL's host is not public; unavailable when the name is not found.
Result<void> check_public(std::string_view url);

}  // namespace slipway::http

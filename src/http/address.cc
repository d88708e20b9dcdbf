#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace slipway::http {
namespace {

using Bytes4 = std::array<unsigned char, 4>;
using Bytes16 = std::array<unsigned char, 16>;

struct Block4 {
  Bytes4 first;
  int bits;
};

// The IPv4 special-purpose registry (RFC 6890 and its successors), and multicast.
constexpr Block4 kSpecial4[] = {
    {{0, 0, 0, 0}, 8},        // this network
    {{10, 0, 0, 0}, 8},       // private
    {{100, 64, 0, 0}, 10},    // shared by carriers
    {{127, 0, 0, 0}, 8},      // loopback
    {{169, 254, 0, 0}, 16},   // link-local; the metadata of clouds
    {{172, 16, 0, 0}, 12},    // private
    {{192, 0, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2, 0}, 24},     // documentation
    {{192, 88, 99, 0}, 24},   // relays of 6to4
    {{192, 168, 0, 0}, 16},   // private
    {{198, 18, 0, 0}, 15},    // benchmarks
    {{198, 51, 100, 0}, 24},  // documentation
    {{203, 0, 113, 0}, 24},   // documentation
    {{224, 0, 0, 0}, 4},      // multicast
    {{240, 0, 0, 0}, 4},      // reserved, broadcast
};

template <size_t N>
bool begins_with(const std::array<unsigned char, N>& address, const std::array<unsigned char, N>& first, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    const auto at = static_cast<size_t>(bit / 8);
    if (((address[at] ^ first[at]) >> (7 - bit % 8)) & 1) return false;
  }
  return true;
}

bool is_public4(const Bytes4& address) {
  return std::none_of(std::begin(kSpecial4), std::end(kSpecial4),
                      [&](const Block4& block) { return begins_with(address, block.first, block.bits); });
}

Bytes4 carried(const Bytes16& address, size_t at) {
  Bytes4 out{};
  std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
  return out;
}

bool is_public6(const Bytes16& address) {
  constexpr Bytes16 kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr Bytes16 kNat64{0, 0x64, 0xff, 0x9b};
  constexpr Bytes16 k6to4{0x20, 0x02};
  constexpr Bytes16 kGlobal{0x20};           // 2000::/3, the only unicast given out
  constexpr Bytes16 kProtocols{0x20, 0x01};  // 2001::/23: Teredo, benchmarks, ORCHID
  constexpr Bytes16 kDocumentation{0x20, 0x01, 0x0d, 0xb8};
  constexpr Bytes16 kDocumentation2{0x3f, 0xff};  // 3fff::/20
  if (begins_with(address, kMapped, 96) || begins_with(address, kNat64, 96)) return is_public4(carried(address, 12));
  if (begins_with(address, k6to4, 16)) return is_public4(carried(address, 2));
  return begins_with(address, kGlobal, 3) && !begins_with(address, kProtocols, 23) &&
         !begins_with(address, kDocumentation, 32) && !begins_with(address, kDocumentation2, 20);
}

bool is_odd(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '\\' || c == '#' || c == '@'; }

}  // namespace

Result<Origin> parse_origin(std::string_view url) {
  const Error wrong{ErrorCode::invalid_argument,
                    "'" + clean_utf8(url, 200) + "' is not a server's URL; expected for example http://127.0.0.1:7070"};
  Origin origin;
  origin.tls = url.starts_with("https://");
  if (!origin.tls && !url.starts_with("http://")) return wrong;
  url.remove_prefix(origin.tls ? 8 : 7);
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.find_first_of("/?#@ \t\r\n") != std::string_view::npos) return wrong;
  origin.authority = url;
  origin.port = origin.tls ? 443 : 80;
  const size_t bracket = url.starts_with('[') ? url.find(']') : std::string_view::npos;
  const size_t colon = url.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto port = parse_u64(url.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return wrong;
    origin.port = static_cast<int>(*port);
    url = url.substr(0, colon);
  }
  if (bracket != std::string_view::npos) {
    if (!url.ends_with(']')) return wrong;
    url = url.substr(1, url.size() - 2);
  }
  if (url.empty()) return wrong;
  origin.host = url;
  return origin;
}

Result<CutUrl> cut_url(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos || std::any_of(url.begin(), url.end(), is_odd)) {
    return Error{ErrorCode::invalid_argument,
                 "'" + clean_utf8(url, 200) +
                     "' is not a URL that can be asked; expected for example https://example.org/hook, without "
                     "credentials, fragment or spaces"};
  }
  const size_t end = std::min(url.find_first_of("/?", scheme + 3), url.size());
  CutUrl cut{std::string(url.substr(0, end)), std::string(url.substr(end))};
  if (!cut.target.starts_with('/')) cut.target.insert(0, "/");
  TRY(parse_origin(cut.server));
  return cut;
}

Result<Addresses> resolve(const std::string& host, int port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int problem = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found); problem != 0) {
    return Error{ErrorCode::unavailable,
                 std::string("the name ") + host + " was not found: " + ::gai_strerror(problem)};
  }
  return Addresses(found, ::freeaddrinfo);
}

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    Bytes4 bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, bytes.size());
    return is_public4(bytes);
  }
  if (address.sa_family != AF_INET6) return false;
  Bytes16 bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, bytes.size());
  return is_public6(bytes);
}

Error not_public(std::string_view host, const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  }
  return {ErrorCode::permission_denied, "'" + clean_utf8(host, 200) + "' leads to " + text +
                                            ", which is no public address; such requests may not go there"};
}

Result<void> check_public(std::string_view url) {
  const Origin origin = TRY(parse_origin(TRY(cut_url(url)).server));
  const Addresses addresses = TRY(resolve(origin.host, origin.port));
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    if (!is_public(*at->ai_addr)) return not_public(origin.host, *at->ai_addr);
  }
  return {};
}

}  // namespace slipway::http

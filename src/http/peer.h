// Which operating-system user owns the other end of a loopback connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace slipway::http {

/// Asks the kernel (sock_diag, one netlink round trip of a few microseconds) for the socket whose own end is
/// `address`:`port` and whose peer is `our_address`:`our_port`. nullopt when it is not of this machine, or the kernel does
/// not say. `address` is what inet_ntop wrote, IPv4 or IPv6.
std::optional<unsigned> owner_of_socket(const std::string& address, std::uint16_t port, const std::string& our_address, std::uint16_t our_port);

}  // namespace slipway::http

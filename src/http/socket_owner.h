// Which user of this machine holds the other end of a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace slipway::http {

/// The owner of the TCP socket whose own end is `address`:`port` and whose peer is `our_address`:`our_port` (all of one
/// family, written without brackets). The kernel is asked (sock_diag, one netlink round trip of a few microseconds);
/// none when it knows no such socket, or does not say.
std::optional<unsigned> owner_of_socket(const std::string& address, std::uint16_t port, const std::string& our_address,
                                        std::uint16_t our_port);

}  // namespace slipway::http

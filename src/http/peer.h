// Who sits at the other end of a connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "http/http.h"

namespace slipway::http {

/// IPv4 addresses that came mapped into IPv6 are shown as IPv4. For a loopback connection the kernel is asked for the
/// user who owns the remote socket (sock_diag, one netlink round trip of a few microseconds); no uid when it does not
/// say.
Peer peer_of(const boost::asio::ip::tcp::endpoint& remote, const boost::asio::ip::tcp::endpoint& local, bool tls);

}  // namespace slipway::http

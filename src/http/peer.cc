#include "http/peer.h"

#include "http/socket_owner.h"

namespace slipway::http {
namespace {

namespace asio = boost::asio;

asio::ip::address unmapped(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

}  // namespace

Peer peer_of(const asio::ip::tcp::endpoint& remote, const asio::ip::tcp::endpoint& local, bool tls) {
  const asio::ip::address address = unmapped(remote.address());
  Peer peer;
  peer.address = address.to_string();
  peer.port = remote.port();
  peer.loopback = address.is_loopback();
  peer.tls = tls;
  if (peer.loopback)
    peer.uid = owner_of_socket(peer.address, remote.port(), unmapped(local.address()).to_string(), local.port());
  return peer;
}

}  // namespace slipway::http

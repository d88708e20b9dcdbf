// Who is at the other end of a gRPC connection, as far as that decides who needs no token.
#include "api/inference/grpc.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"

namespace slipway::api {
namespace {

/// A connection over the loopback address; the port of each end.
struct Connection {
  Connection() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listening.get(), raw, sizeof address), 0);
    EXPECT_EQ(::listen(listening.get(), 1), 0);
    own = port(listening.get());
    address.sin_port = htons(static_cast<std::uint16_t>(own));
    EXPECT_EQ(::connect(client.get(), raw, sizeof address), 0);
    theirs = port(client.get());
  }
  static int port(int socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }
  UniqueFd listening{::socket(AF_INET, SOCK_STREAM, 0)}, client{::socket(AF_INET, SOCK_STREAM, 0)};
  int own = 0, theirs = 0;
};

TEST(GrpcPeer, is_known_by_name_only_when_the_kernel_knows_the_socket_and_the_port_is_bound_to_loopback) {
  const Connection connection;
  const std::string uri = "ipv4:127.0.0.1:" + std::to_string(connection.theirs);
  const http::Peer peer = grpc_peer(uri, "127.0.0.1", connection.own);
  EXPECT_EQ(peer.address, "127.0.0.1");
  EXPECT_EQ(peer.port, connection.theirs);
  EXPECT_TRUE(peer.loopback);
  EXPECT_EQ(peer.uid, ::getuid());

  EXPECT_FALSE(grpc_peer(uri, "0.0.0.0", connection.own).uid) << "which of our addresses it reached is not known";
  EXPECT_FALSE(grpc_peer(uri, "127.0.0.2", connection.own).uid);
  EXPECT_FALSE(grpc_peer(uri, "127.0.0.1", connection.own == 1 ? 2 : 1).uid);
  EXPECT_FALSE(grpc_peer(uri, "127.0.0.1", 0).uid) << "before our own port is known";
}

TEST(GrpcPeer, is_nobody_when_gRPC_says_something_else) {
  const http::Peer remote = grpc_peer("ipv4:10.0.0.7:5", "127.0.0.1", 8001);
  EXPECT_EQ(remote.address, "10.0.0.7");
  EXPECT_FALSE(remote.loopback);
  const http::Peer six = grpc_peer("ipv6:%5B::1%5D:40312", "::1", 8001);
  EXPECT_EQ(six.address, "::1");
  EXPECT_EQ(six.port, 40312);
  EXPECT_TRUE(six.loopback);
  for (const char* odd : {"", "unknown", "unix:/run/x", "unix:", "ipv4:", "ipv4:127.0.0.1", "ipv4:127.0.0.1:port",
                          "ipv4:127.0.0.1:70000", "ipv6:%5B"}) {
    const http::Peer peer = grpc_peer(odd, "127.0.0.1", 8001);
    EXPECT_FALSE(peer.loopback) << odd;
    EXPECT_FALSE(peer.uid) << odd;
  }
}

}  // namespace
}  // namespace slipway::api

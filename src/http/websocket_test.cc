#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "http/testing.h"

namespace slipway::http {
namespace {

using namespace testing;

constexpr std::string_view kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A client's frame, masked with zeros (which changes nothing, and is allowed to a test).
std::string frame(int opcode, std::string_view payload, bool is_masked = true) {
  std::string out(1, static_cast<char>(0x80 | opcode));
  const int mask_bit = is_masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else {
    out += static_cast<char>(mask_bit | 127);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  }
  if (is_masked) out += std::string(4, '\0');
  return out.append(payload);
}

std::string server_frame(int opcode, std::string_view payload) { return frame(opcode, payload, false); }

/// "/echo" sends back what it gets; the first message may be "close" or "throw". The handle is kept in `socket`.
class WebSockets : public ::testing::Test {
 protected:
  void SetUp() override {
    server.router.add_websocket("/echo/{name}", [this](Request& request, std::shared_ptr<WebSocket> opened) {
      name = request.parameter("name");
      opened->on_message([opened](std::string message, bool is_text) {
        if (message == "close") return opened->close();
        if (message == "throw") throw std::runtime_error("as planned");
        opened->send(std::move(message), is_text);
      });
      opened->on_close([this] { closed.set_value(); });
      socket = opened;
      handed.set_value();
    });
    port = server.start();
  }

  RawClient open() {
    RawClient client(port);
    client.send(get("/echo/a%20b", kUpgrade));
    EXPECT_TRUE(client.read_until("\r\n\r\n"));
    EXPECT_EQ(client.read_answer().status, 101);
    handed.get_future().wait();  // the handler runs after the answer has gone out
    return client;
  }

  bool is_told() { return closed.get_future().wait_for(5s) == std::future_status::ready; }

  std::promise<void> closed, handed;
  std::shared_ptr<WebSocket> socket;
  std::string name;
  TestServer server;
  int port = 0;
};

TEST_F(WebSockets, messages_go_both_ways) {
  RawClient client = open();
  EXPECT_EQ(name, "a b");
  client.send(frame(1, "hello") + frame(2, std::string(70'000, 'x')));
  EXPECT_TRUE(client.read_until(server_frame(1, "hello") + server_frame(2, std::string(70'000, 'x'))));
}

TEST_F(WebSockets, the_key_is_answered_as_the_rfc_says) {
  RawClient client(port);
  client.send(get("/echo/x", kUpgrade));
  EXPECT_TRUE(client.read_until("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

TEST_F(WebSockets, a_request_without_upgrade_is_told_to_ask_for_one) {
  RawClient client(port);
  const Answer answer = client.ask(get("/echo/x"));
  EXPECT_EQ(answer.status, 426);
  EXPECT_EQ(answer.headers.get("Upgrade"), "websocket");
  EXPECT_EQ(client.ask(get("/nowhere")).status, 404);  // and the connection goes on
}

TEST_F(WebSockets, pings_are_answered) {
  RawClient client = open();
  client.send(frame(9, "still there?"));
  EXPECT_TRUE(client.read_until(server_frame(10, "still there?")));
}

TEST_F(WebSockets, a_close_is_answered_and_told) {
  RawClient client = open();
  client.send(frame(8, "\x03\xe8"));
  EXPECT_TRUE(client.read_until(server_frame(8, "\x03\xe8")));
  EXPECT_TRUE(client.is_closed_within(5s));
  client.close();
  EXPECT_TRUE(is_told());
  EXPECT_FALSE(socket->send("too late", true));
}

TEST_F(WebSockets, the_server_can_close) {
  RawClient client = open();
  client.send(frame(1, "close"));
  EXPECT_TRUE(client.read_until(server_frame(8, "\x03\xe8")));
  client.send(frame(8, "\x03\xe8"));
  EXPECT_TRUE(client.is_closed_within(5s));
  client.close();
  EXPECT_TRUE(is_told());
}

TEST_F(WebSockets, a_client_that_vanishes_is_told) {
  RawClient client = open();
  client.close();
  EXPECT_TRUE(is_told());
}

TEST_F(WebSockets, a_message_over_the_limit_ends_the_connection) {
  RawClient client = open();
  client.send(frame(2, std::string((1 << 20) + 1, 'x')));
  EXPECT_TRUE(client.read_until("\x03\xf1"));  // 1009, too big
  client.close();
  EXPECT_TRUE(is_told());
}

TEST_F(WebSockets, text_that_is_no_utf8_ends_the_connection) {
  RawClient client = open();
  client.send(frame(1, "\xff\xfe"));
  EXPECT_TRUE(client.is_closed_within(5s));
  client.close();
  EXPECT_TRUE(is_told());
}

TEST_F(WebSockets, a_handler_that_throws_ends_only_its_own_connection) {
  RawClient client = open();
  client.send(frame(1, "throw"));
  EXPECT_TRUE(client.is_closed_within(5s));
  EXPECT_TRUE(is_told());
  EXPECT_EQ(RawClient(port).ask(get("/echo/x")).status, 426);
}

TEST_F(WebSockets, a_client_that_does_not_read_fills_a_bounded_queue) {
  RawClient client = open();
  const std::string message(256 << 10, 'x');
  int sent = 0;
  while (sent < 1000 && socket->send(message, false)) ++sent;
  EXPECT_GE(sent, 4);
  EXPECT_LT(sent, 1000);
}

TEST_F(WebSockets, sending_from_many_threads_keeps_messages_whole) {
  RawClient client = open();
  std::vector<std::thread> threads;
  for (char c : {'a', 'b', 'c', 'd'}) {
    threads.emplace_back([this, c] {
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(socket->send(std::string(100, c), true));
    });
  }
  for (auto& thread : threads) thread.join();
  const size_t all = 400 * server_frame(1, std::string(100, 'a')).size();
  while (client.received().size() < all && client.read_some()) {
  }
  ASSERT_EQ(client.received().size(), all);
  for (size_t at = 0; at < all; at += 102) {
    const std::string payload = client.received().substr(at + 2, 100);
    EXPECT_EQ(payload, std::string(100, payload[0]));
  }
}

TEST_F(WebSockets, a_stop_closes_them) {
  RawClient client = open();
  std::thread stopping([this] { server.server->stop(5s); });
  EXPECT_TRUE(client.read_until(server_frame(8, "\x03\xe8")));
  client.send(frame(8, "\x03\xe8"));
  stopping.join();
  EXPECT_TRUE(is_told());
  EXPECT_FALSE(socket->send("too late", true));
}

}  // namespace
}  // namespace slipway::http

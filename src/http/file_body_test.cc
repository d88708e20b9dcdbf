#include "http/file_body.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>
#include <future>
#include <thread>

#include "http/testing.h"

namespace slipway::http {
namespace {

using namespace testing;

constexpr size_t kLargeBytes = 40 << 20;        // several turns, and more than the socket's buffers hold
constexpr int kReceiveBufferBytes = 256 << 10;  // of clients that are slow
static_assert(kLargeBytes > 2 * kFileTurnBytes);

/// Bytes that say where they are: a piece that is missing, doubled or displaced shows.
std::string numbered(size_t bytes) {
  std::string out(bytes, '\0');
  for (std::uint32_t at = 0; at + 4 <= bytes; at += 4) std::memcpy(out.data() + at, &at, 4);
  return out;
}

bool becomes_true(const std::function<bool()>& condition, Duration limit = 5s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  return condition();
}

/// GET /file?offset=&length= sends that much of the file.
struct FileServer : TestServer {
  explicit FileServer(size_t pool_threads = 4, size_t pool_waiting_max = 256, size_t bytes = kLargeBytes)
      : TestServer(pool_threads, pool_waiting_max), content(numbered(bytes)), file(folder.path() / "file") {
    EXPECT_TRUE(write_file_atomic(file, content).ok());
    router.add(Method::get, "/file", [this](Request& request, Responder responder) {
      Response head;
      head.headers.set("Content-Type", "text/plain");  // which would be compressed if it were no file
      responder.send_file(std::move(head), open_file(file, O_RDONLY).value(), number(request, "offset", 0),
                          number(request, "length", content.size()));
    });
    router.add(Method::head, "/file", [this](Request&, Responder responder) {
      responder.send_file({}, open_file(file, O_RDONLY).value(), 0, content.size());
    });
    router.add(Method::get, "/other", [](Request&, Responder responder) { responder.send(Response::text("other")); });
  }

  ~FileServer() {
    if (server) server->stop(1s);  // while there still is what its handlers use
  }

  static std::uint64_t number(const Request& request, std::string_view name, std::uint64_t otherwise) {
    return parse_u64(request.query_value(name).value_or("")).value_or(otherwise);
  }
  bool is_idle() { return counters.gauge("http_connections_open", "").value() == 0; }

  TemporaryDirectory folder;
  const std::string content;
  const std::filesystem::path file;
};

TEST(FileBody, a_file_is_sent_whole_or_in_part) {
  FileServer server;
  RawClient client(server.start());
  const auto ask = [&](size_t offset, size_t length) {
    const Answer answer = client.ask(get("/file?offset=" + std::to_string(offset) + "&length=" + std::to_string(length),
                                         "Accept-Encoding: gzip\r\n"));
    EXPECT_EQ(answer.headers.get("Content-Length"), std::to_string(length));
    EXPECT_FALSE(answer.headers.has("Content-Encoding"));
    EXPECT_TRUE(answer.is_whole);
    EXPECT_TRUE(answer.body == server.content.substr(offset, length)) << offset << " " << length;
  };
  ask(0, kLargeBytes);
  ask(12'345, 20 << 20);
  ask(kLargeBytes - 1, 1);
  ask(77, kFileWholeBytesMax);
  ask(77, kFileWholeBytesMax + 1);
  ask(0, 0);
  EXPECT_GT(server.counters.counter("http_bytes_sent_total", "").value(), kLargeBytes + (20u << 20));
}

TEST(FileBody, a_small_part_comes_with_its_head_at_once) {
  FileServer server;
  RawClient client(server.start());
  client.send(get("/file?length=1000"));
  ASSERT_TRUE(client.read_some());
  EXPECT_TRUE(client.received().ends_with(server.content.substr(0, 1000)));
}

TEST(FileBody, a_head_is_answered_without_the_file) {
  FileServer server;
  RawClient client(server.start());
  const Answer head = client.ask("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(head.headers.get("Content-Length"), std::to_string(kLargeBytes));
  EXPECT_EQ(client.ask(get("/other")).body, "other");
}

TEST(FileBody, the_connection_goes_on_and_answers_keep_their_order) {
  FileServer server;
  RawClient client(server.start());
  for (int round = 0; round < 2; ++round) {
    client.send(get("/file") + get("/other") + get("/file?offset=4&length=100000") + get("/other"));
    EXPECT_TRUE(client.read_answer().body == server.content);
    EXPECT_EQ(client.read_answer().body, "other");
    EXPECT_TRUE(client.read_answer().body == server.content.substr(4, 100'000));
    EXPECT_EQ(client.read_answer().body, "other");
  }
}

TEST(FileBody, who_asks_for_the_end_of_the_connection_gets_it) {
  FileServer server;
  RawClient client(server.start());
  EXPECT_TRUE(client.ask(get("/file", "Connection: close\r\n")).body == server.content);
  EXPECT_TRUE(client.is_closed_within(5s));
  RawClient old(server.server->port());
  old.send("GET /file HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.is_closed_within(20s));
  EXPECT_TRUE(old.received().ends_with(server.content));
}

TEST(FileBody, a_slow_reader_costs_no_thread) {
  FileServer server(1);
  const int port = server.start();
  RawClient slow(port, kReceiveBufferBytes), slower(port, kReceiveBufferBytes), other(port);
  slow.send(get("/file"));
  slower.send(get("/file"));
  ASSERT_TRUE(slow.read_until("\r\n\r\n"));
  ASSERT_TRUE(slower.read_until("\r\n\r\n"));
  EXPECT_EQ(other.ask(get("/other")).body, "other");
  EXPECT_TRUE(slow.read_answer().body == server.content);
}

TEST(FileBody, a_client_that_goes_away_in_the_middle_leaves_nothing_behind) {
  FileServer server(1);
  const int port = server.start();
  for (int round = 0; round < 5; ++round) {
    RawClient client(port, kReceiveBufferBytes);
    client.send(get("/file"));
    ASSERT_TRUE(client.read_until("\r\n\r\n"));
    if (round % 2 == 0) std::this_thread::sleep_for(20ms);  // the server waits for it by then, or is still sending
  }
  EXPECT_TRUE(becomes_true([&] { return server.is_idle(); }));
  EXPECT_EQ(RawClient(port).ask(get("/other")).body, "other");
}

TEST(FileBody, a_file_that_became_shorter_does_not_look_whole) {
  FileServer server;
  const int port = server.start();
  RawClient client(port);
  const Answer cut = client.ask(get("/file?offset=1048576&length=" + std::to_string(kLargeBytes)));
  EXPECT_FALSE(cut.is_whole);
  EXPECT_TRUE(client.is_closed_within(5s));
  EXPECT_EQ(RawClient(port).ask(get("/file?length=2&offset=" + std::to_string(kLargeBytes - 1))).status, 500);
}

TEST(FileBody, a_stop_ends_what_nobody_reads) {
  FileServer server;
  RawClient client(server.start(), kReceiveBufferBytes);
  client.send(get("/file"));
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  const auto began = std::chrono::steady_clock::now();
  server.server->stop(100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST(FileBody, a_busy_pool_delays_and_does_not_cut) {
  FileServer server(1, 1);
  std::promise<void> go;
  std::atomic<int> entered{0};
  server.router.add(Method::get, "/block", [&entered, gone = go.get_future().share()](Request&, Responder responder) {
    ++entered;
    gone.wait();
    responder.send(Response::text("blocked"));
  });
  const int port = server.start();
  RawClient slow(port, kReceiveBufferBytes), first(port), second(port);
  slow.send(get("/file"));
  ASSERT_TRUE(slow.read_until("\r\n\r\n"));
  std::this_thread::sleep_for(50ms);  // the buffers are full, its thread is free
  first.send(get("/block"));
  ASSERT_TRUE(becomes_true([&] { return entered == 1; }));
  second.send(get("/block"));  // fills the queue
  std::this_thread::sleep_for(50ms);
  while (slow.received().size() < (8u << 20) && slow.read_some(200ms)) {
  }
  EXPECT_LT(slow.received().size(), kLargeBytes);
  go.set_value();
  EXPECT_TRUE(slow.read_answer().body == server.content);
  EXPECT_EQ(second.read_answer().body, "blocked");
}

TEST(FileBody, the_second_answer_of_a_handler_is_ignored) {
  FileServer server;
  server.router.add(Method::get, "/twice", [&](Request&, Responder responder) {
    responder.send(Response::text("first"));
    responder.send_file({}, open_file(server.file, O_RDONLY).value(), 0, kLargeBytes);
  });
  RawClient client(server.start());
  EXPECT_EQ(client.ask(get("/twice")).body, "first");
  EXPECT_EQ(client.ask(get("/other")).body, "other");
}

/// Both ends of a connection; ours does not block.
struct SocketPair {
  SocketPair() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours = UniqueFd(ends[0]);
    theirs = UniqueFd(ends[1]);
    EXPECT_EQ(::fcntl(ours.get(), F_SETFL, O_NONBLOCK), 0);
  }
  UniqueFd ours, theirs;
};

TEST(FileBody, a_file_that_the_kernel_cannot_send_is_copied) {
  const TemporaryDirectory folder;
  const std::string content = numbered(5 << 20);
  ASSERT_TRUE(write_file_atomic(folder.path() / "file", content).ok());
  for (const FileBody::How how : {FileBody::How::kernel, FileBody::How::copying}) {
    SocketPair sockets;
    const FilePart part{open_file(folder.path() / "file", O_RDONLY).value(), 1000, content.size() - 1000};
    FileBody body(part, how);
    std::string received, piece(100'000, '\0');
    FileBody::Turn turn = FileBody::Turn::more;
    int turns = 0;
    while (turn != FileBody::Turn::done) {
      turn = body.send_some(sockets.ours.get());
      ASSERT_NE(turn, FileBody::Turn::failed);
      ++turns;
      for (ssize_t n = 0; (n = ::recv(sockets.theirs.get(), piece.data(), piece.size(), MSG_DONTWAIT)) > 0;)
        received.append(piece, 0, static_cast<size_t>(n));
    }
    EXPECT_EQ(body.sent(), part.length);
    EXPECT_TRUE(received == content.substr(1000));
    EXPECT_GT(turns, 5);  // it never waited for the reader
  }
}

}  // namespace
}  // namespace slipway::http

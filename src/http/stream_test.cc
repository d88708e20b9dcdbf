#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "http/testing.h"

namespace slipway::http {
namespace {

using namespace testing;

Response stream_head(const char* type = "application/octet-stream") {
  Response head;
  head.headers.set("Content-Type", type);
  return head;
}

bool becomes_true(const std::function<bool()>& condition, Duration limit = 5s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  return condition();
}

TEST(Stream, an_answer_of_unknown_length_is_chunked) {
  TestServer server;
  server.router.add(Method::get, "/pieces", [](Request&, Responder responder) {
    const auto writer = responder.stream(stream_head());
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(writer->write(std::string(static_cast<size_t>(i), 'x')).ok());
  });
  RawClient client(server.start());
  for (int round = 0; round < 2; ++round) {
    const Answer answer = client.ask(get("/pieces"));
    EXPECT_EQ(answer.headers.get("Transfer-Encoding"), "chunked");
    EXPECT_EQ(answer.body.size(), 4950u);
  }
  RawClient old(server.server->port());
  old.send("GET /pieces HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.is_closed_within(5s));
  EXPECT_EQ(old.received().size() - old.received().find("\r\n\r\n") - 4, 4950u);
}

TEST(Stream, an_answer_of_known_length_keeps_the_connection) {
  const std::string piece(1 << 20, 'p');  // outlives the server, whose handler may still hold it
  TestServer server;
  server.router.add(Method::get, "/file", [&](Request&, Responder responder) {
    const auto writer = responder.stream(stream_head(), 20u << 20);
    for (int i = 0; i < 20 && writer->write(piece).ok(); ++i) {
    }
  });
  RawClient client(server.start());
  for (int round = 0; round < 2; ++round) {
    const Answer answer = client.ask(get("/file"));
    EXPECT_EQ(answer.headers.get("Content-Length"), std::to_string(20 << 20));
    EXPECT_EQ(answer.body.size(), 20u << 20);
  }
  const Answer head = client.ask("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(head.headers.get("Content-Length"), std::to_string(20 << 20));
}

TEST(Stream, a_body_shorter_than_promised_ends_the_connection) {
  TestServer server;
  server.router.add(Method::get, "/short", [](Request&, Responder responder) {
    (void)responder.stream(stream_head(), 100)->write("only this");
  });
  RawClient client(server.start());
  EXPECT_FALSE(client.ask(get("/short")).is_whole);
  EXPECT_TRUE(client.is_closed_within(2s));
}

TEST(Stream, a_body_given_up_in_the_middle_does_not_look_whole) {
  TestServer server;
  server.router.add(Method::get, "/abort", [](Request&, Responder responder) {
    const auto writer = responder.stream(stream_head());
    (void)writer->write("begun");
    writer->abort();
  });
  server.router.add(Method::get, "/throws", [](Request&, Responder responder) {
    const auto writer = responder.stream(stream_head());
    (void)writer->write("begun");
    throw std::runtime_error("as planned");
  });
  const int port = server.start();
  for (const char* path : {"/abort", "/throws"}) {
    RawClient client(port);
    EXPECT_FALSE(client.ask(get(path)).is_whole) << path;
    EXPECT_TRUE(client.is_closed_within(2s)) << path;
  }
}

TEST(Stream, a_slow_client_holds_the_writer_back) {
  TestServer server;
  server.options.stream_queue_bytes_max = 100'000;
  std::atomic<size_t> written{0};
  server.router.add(Method::get, "/endless", [&](Request&, Responder responder) {
    const auto writer = responder.stream(stream_head());
    while (writer->write(std::string(10'000, 'x')).ok()) written += 10'000;
  });
  RawClient client(server.start(), 4096);
  client.send(get("/endless"));
  std::this_thread::sleep_for(200ms);
  const size_t before = written;
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(written, before);  // it waits
  EXPECT_LT(before, 10u << 20);
  client.close();
}

TEST(Stream, try_write_says_when_too_much_waits) {
  TestServer server;
  server.options.stream_queue_bytes_max = 100'000;
  std::promise<std::shared_ptr<BodyWriter>> handed;
  server.router.add(
      Method::get, "/events",
      [&](Request&, Responder responder) { handed.set_value(responder.stream(stream_head("text/event-stream"))); },
      {.where = Where::on_loop});
  RawClient client(server.start(), 4096);
  client.send(get("/events"));
  const auto writer = handed.get_future().get();
  size_t taken = 0;
  while (taken < 50'000 && writer->try_write(std::string(10'000, 'e'))) ++taken;
  EXPECT_LT(taken, 50'000u);
  EXPECT_FALSE(writer->client_gone());
  EXPECT_FALSE(writer->try_write(std::string(200'000, 'e')));
}

TEST(Stream, a_client_that_leaves_is_noticed_while_nothing_is_written) {
  TestServer server;
  std::atomic<int> gone{0};
  std::promise<std::shared_ptr<BodyWriter>> handed;
  server.router.add(Method::get, "/events",
                    [&](Request&, Responder responder) {
                      const auto writer = responder.stream(stream_head("text/event-stream"));
                      writer->on_client_gone([&] { ++gone; });
                      writer->try_write("data: 1\n\n");
                      handed.set_value(writer);
                    },
                    {.where = Where::on_loop});
  auto client = std::make_unique<RawClient>(server.start());
  client->send(get("/events"));
  ASSERT_TRUE(client->read_until("data: 1"));
  const auto writer = handed.get_future().get();
  EXPECT_FALSE(writer->client_gone());
  client.reset();
  EXPECT_TRUE(becomes_true([&] { return gone == 1; }));
  EXPECT_TRUE(writer->client_gone());
  EXPECT_FALSE(writer->try_write("data: 2\n\n"));
  EXPECT_EQ(writer->write("data: 3\n\n").error().code, ErrorCode::cancelled);
}

TEST(Stream, events_arrive_when_they_are_written) {
  TestServer server;
  std::promise<std::shared_ptr<BodyWriter>> handed;
  server.router.add(
      Method::get, "/events",
      [&](Request&, Responder responder) { handed.set_value(responder.stream(stream_head("text/event-stream"))); },
      {.where = Where::on_loop});
  RawClient client(server.start());
  client.send(get("/events"));
  ASSERT_TRUE(client.read_until("\r\n\r\n"));  // the head does not wait for the first event
  const auto writer = handed.get_future().get();
  for (int i = 0; i < 10; ++i) {
    const std::string event = "data: " + std::to_string(i) + "\n\n";
    ASSERT_TRUE(writer->try_write(event));
    EXPECT_TRUE(client.read_until(event, 1s));
  }
}

TEST(Stream, a_stop_ends_event_streams_and_waits_for_downloads) {
  TestServer server;
  std::promise<std::shared_ptr<BodyWriter>> handed;
  std::promise<void> entered;
  server.router.add(
      Method::get, "/events",
      [&](Request&, Responder responder) { handed.set_value(responder.stream(stream_head("text/event-stream"))); },
      {.where = Where::on_loop});
  server.router.add(Method::get, "/download", [&](Request&, Responder responder) {
    const auto writer = responder.stream(stream_head());
    (void)writer->write("first ");
    entered.set_value();
    std::this_thread::sleep_for(300ms);  // reading from a slow disk
    (void)writer->write("second");
  });
  const int port = server.start();
  RawClient events(port), download(port);
  events.send(get("/events"));
  download.send(get("/download"));
  const auto writer = handed.get_future().get();
  entered.get_future().wait();
  const auto began = std::chrono::steady_clock::now();
  server.server->stop(20s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_TRUE(events.read_answer().is_whole);
  EXPECT_EQ(download.read_answer().body, "first second");
}

TEST(Upload, a_streamed_body_arrives_in_pieces_whatever_its_size) {
  TestServer server;
  server.router.add_streaming(Method::put, "/upload",
                              [](Request&, BodyReader& body, Responder responder) {
                                std::uint64_t bytes = 0, sum = 0;
                                while (true) {
                                  auto piece = body.next();
                                  if (!piece.ok()) return responder.send(Response::text(piece.error().message, 400));
                                  if (piece->empty()) break;
                                  EXPECT_LE(piece->size(), 1u << 20);
                                  bytes += piece->size();
                                  for (char c : *piece) sum += static_cast<unsigned char>(c);
                                }
                                responder.send(Response::text(std::to_string(bytes) + " " + std::to_string(sum) + " " +
                                                              (body.length() ? std::to_string(*body.length()) : "?")));
                              },
                              {.body_bytes_max = 1u << 30});
  RawClient client(server.start());
  const std::string megabyte(1 << 20, '\1');
  for (int round = 0; round < 2; ++round) {
    client.send("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(16 << 20) + "\r\n\r\n");
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(client.send(megabyte));
    EXPECT_EQ(client.read_answer().body, "16777216 16777216 16777216");
  }
  client.send("PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(client.send("100000\r\n" + megabyte + "\r\n"));
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "4194304 4194304 ?");
  EXPECT_EQ(client.ask("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").body, "0 0 0");
}

TEST(Upload, the_client_is_read_only_as_fast_as_the_handler_pulls) {
  TestServer server;
  std::promise<void> go;
  server.router.add_streaming(Method::put, "/upload",
                              [gone = go.get_future().share()](Request&, BodyReader& body, Responder responder) {
                                (void)body.next();
                                gone.wait();
                                responder.send(Response::text("enough"));
                              },
                              {.body_bytes_max = 1u << 30});
  RawClient client(server.start());
  std::atomic<size_t> sent{0};
  client.send("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(200 << 20) + "\r\n\r\n");
  std::thread sender([&] {
    const std::string piece(64 << 10, 'x');
    while (sent < (200u << 20) && client.send(piece)) sent += piece.size();
  });
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(sent, 50u << 20);
  go.set_value();
  EXPECT_EQ(client.read_answer().body, "enough");
  EXPECT_TRUE(client.is_closed_within(5s));
  sender.join();
}

TEST(Upload, the_next_pieces_are_read_while_the_handler_works_on_one) {
  TestServer server;
  const Counter& received = server.counters.counter("http_body_bytes_received_total", "");
  std::atomic<std::uint64_t> ahead_max{0};
  server.router.add_streaming(Method::post, "/upload",
                              [&](Request&, BodyReader& body, Responder responder) {
                                std::string all;
                                for (auto piece = body.next(); piece.ok() && !piece->empty(); piece = body.next()) {
                                  all += *piece;
                                  std::this_thread::sleep_for(5ms);  // meanwhile the client sends what it can
                                  ahead_max = std::max<std::uint64_t>(ahead_max, received.value() - all.size());
                                }
                                EXPECT_EQ(*body.next(), "");  // the end is told again
                                responder.send(Response::text(std::move(all)));
                              },
                              {.body_bytes_max = 1u << 30});
  RawClient client(server.start());
  std::string sent;
  for (int i = 0; sent.size() < (24u << 20); ++i) sent += std::to_string(i) + " ";
  std::thread sender([&] { client.send(post("/upload", sent)); });
  EXPECT_TRUE(client.read_answer().body == sent);
  EXPECT_GT(ahead_max, 0u);
  EXPECT_LT(ahead_max, 3u << 20);  // no more than is good
  sender.join();
}

TEST(Upload, a_body_cut_off_is_cancelled_and_too_large_says_so) {
  TestServer server;
  std::promise<ErrorCode> found;
  server.router.add_streaming(Method::put, "/upload",
                              [&](Request&, BodyReader& body, Responder responder) {
                                while (true) {
                                  auto piece = body.next();
                                  if (piece.ok() && !piece->empty()) continue;
                                  if (!piece.ok() && piece.error().code == ErrorCode::too_large)
                                    return responder.send(Response::text("too large", 413));
                                  found.set_value(piece.ok() ? ErrorCode::internal : piece.error().code);
                                  return responder.send(Response::text("?", 400));
                                }
                              },
                              {.body_bytes_max = 100'000});
  const int port = server.start();
  {
    RawClient client(port);
    client.send("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this");
    client.close();
    EXPECT_EQ(found.get_future().get(), ErrorCode::cancelled);
  }
  RawClient client(port);
  client.send("PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n" +
              std::string(200'000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_EQ(RawClient(port).ask("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n").status, 413);
}

TEST(Upload, expecting_clients_are_told_to_go_on) {
  TestServer server;
  server.router.add_streaming(Method::put, "/upload", [](Request&, BodyReader& body, Responder responder) {
    std::string all;
    for (auto piece = body.next(); piece.ok() && !piece->empty(); piece = body.next()) all += *piece;
    responder.send(Response::text(all));
  });
  RawClient client(server.start());
  EXPECT_EQ(client.ask("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").status,
            100);
  EXPECT_EQ(client.ask("hello").body, "hello");
}

TEST(Upload, an_answer_may_begin_before_the_body_has_ended) {
  TestServer server;
  server.router.add_streaming(Method::post, "/echo",
                              [](Request&, BodyReader& body, Responder responder) {
                                const auto writer = responder.stream(stream_head());
                                for (auto piece = body.next(); piece.ok() && !piece->empty(); piece = body.next()) {
                                  if (!writer->write(*piece).ok()) return;
                                }
                              },
                              {.body_bytes_max = 1u << 30});
  RawClient client(server.start());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  ASSERT_TRUE(client.read_until("hello", 2s));
  client.send("world");
  EXPECT_EQ(client.read_answer().body, "helloworld");
}

}  // namespace
}  // namespace slipway::http

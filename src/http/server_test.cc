#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/afterwards.h"
#include "http/encoding.h"
#include "http/testing.h"

namespace slipway::http {
namespace {

using namespace testing;

/// The server most tests talk to.
class Http : public ::testing::Test {
 protected:
  void SetUp() override {
    Router& router = server.router;
    router.add(Method::get, "/fast", [](Request&, Responder responder) { responder.send(Response::text("fast")); },
               {.where = Where::on_loop});
    router.add(Method::get, "/slow", [](Request&, Responder responder) {
      std::this_thread::sleep_for(30ms);
      responder.send(Response::text("slow"));
    });
    router.add(Method::get, "/echo/{name}/{rest...}", [](Request& request, Responder responder) {
      std::string text = std::string(request.parameter("name")) + "|" + std::string(request.parameter("rest"));
      for (const auto& [key, value] : request.query) text += "|" + key + "=" + value;
      responder.send(Response::text(text));
    });
    for (Where where : {Where::on_loop, Where::on_pool}) {
      router.add(Method::post, where == Where::on_loop ? "/body" : "/body/pool",
                 [](Request& request, Responder responder) { responder.send(Response::text(request.body)); },
                 {.where = where, .body_bytes_max = 100'000});
    }
    router.add(Method::get, "/dropped", [](Request&, Responder) {});
    router.add(Method::get, "/throws", [](Request&, Responder) { throw std::runtime_error("as planned"); });
    router.add(Method::get, "/throws/loop", [](Request&, Responder) { throw std::runtime_error("as planned"); },
               {.where = Where::on_loop});
    router.add(Method::get, "/twice", [](Request&, Responder responder) {
      responder.send(Response::text("one"));
      responder.send(Response::text("two"));
    });
    router.add(Method::get, "/large", [](Request&, Responder responder) {
      responder.send(Response::json("[" + std::string(50'000, ' ') + "]"));
    });
    router.add(Method::get, "/later",
               [this](Request&, Responder responder) {
                 later = std::thread([responder] {
                   std::this_thread::sleep_for(20ms);
                   responder.send(Response::text("later"));
                 });
               },
               {.where = Where::on_loop});
    server.options.head_timeout = 300ms;
    server.options.idle_timeout = 2s;
    server.options.body_grace = 300ms;
    server.options.body_bytes_per_second_min = 1000;
  }

  void TearDown() override {
    if (later.joinable()) later.join();
  }

  RawClient connect() {
    if (port == 0) port = server.start();
    EXPECT_NE(port, 0) << server.problem;
    return RawClient(port);
  }

  std::thread later;
  TestServer server;
  int port = 0;
};

TEST_F(Http, answers_given_together_go_out_together) {
  constexpr size_t kClients = 5;
  std::mutex mutex;
  std::vector<Responder> waiting;
  server.router.add(Method::get, "/held",
                    [&](Request&, Responder responder) {
                      const std::lock_guard lock(mutex);
                      waiting.push_back(std::move(responder));
                    },
                    {.where = Where::on_loop});
  std::vector<RawClient> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(connect());
    clients.back().send(get("/held"));
  }
  const auto held = [&] {
    const std::lock_guard lock(mutex);
    return waiting.size();
  };
  for (int i = 0; i < 500 && held() < kClients; ++i) std::this_thread::sleep_for(10ms);
  ASSERT_EQ(held(), kClients);
  {
    const Afterwards wake_together;
    for (const Responder& responder : waiting) responder.send(Response::text("done"));
    for (RawClient& client : clients) EXPECT_FALSE(client.read_some(10ms));
  }
  waiting.clear();
  for (RawClient& client : clients) EXPECT_EQ(client.read_answer().body, "done");
}

TEST_F(Http, a_connection_serves_one_request_after_the_other) {
  RawClient client = connect();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = client.ask(get("/fast"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "fast");
    EXPECT_TRUE(answer.headers.has("Date"));
  }
}

TEST_F(Http, pipelined_requests_are_answered_in_their_order) {
  RawClient client = connect();
  client.send(get("/slow") + get("/fast") + post("/body", "hello") + get("/later") + get("/fast"));
  for (const char* wanted : {"slow", "fast", "hello", "later", "fast"}) EXPECT_EQ(client.read_answer().body, wanted);
}

TEST_F(Http, a_request_that_comes_byte_by_byte_is_understood) {
  RawClient client = connect();
  for (char c : post("/body", "drip")) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.read_answer().body, "drip");
}

TEST_F(Http, parts_of_the_path_and_the_query_are_decoded) {
  EXPECT_EQ(connect().ask(get("/echo/a%20b/c/d%2Fe?x=1&y=%C3%A4+z")).body, "a b|c/d/e|x=1|y=ä z");
}

TEST_F(Http, head_is_answered_like_get_without_the_body) {
  RawClient client = connect();
  const Answer answer = client.ask("HEAD /fast HTTP/1.1\r\nHost: localhost\r\n\r\n", true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Content-Length"), "4");
  EXPECT_EQ(client.ask(get("/fast")).body, "fast");
}

TEST_F(Http, what_is_not_there_is_404_and_another_method_405) {
  RawClient client = connect();
  EXPECT_EQ(client.ask(get("/nothing")).status, 404);
  const Answer answer = client.ask(post("/fast", "{}"));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.get("Allow"), "GET, HEAD");
  EXPECT_NE(answer.body.find("\"error\":{\"code\":"), std::string::npos);
}

TEST_F(Http, a_short_body_that_nobody_wants_does_not_end_the_connection) {
  RawClient client = connect();
  EXPECT_EQ(client.ask(post("/nothing", std::string(1000, 'x'))).status, 404);
  EXPECT_EQ(client.ask(get("/fast")).body, "fast");
}

TEST_F(Http, a_dropped_responder_is_500) {
  RawClient client = connect();
  EXPECT_EQ(client.ask(get("/dropped")).status, 500);
  EXPECT_EQ(client.ask(get("/fast")).status, 200);
}

TEST_F(Http, a_handler_that_throws_is_500) {
  RawClient client = connect();
  EXPECT_EQ(client.ask(get("/throws")).status, 500);
  EXPECT_EQ(client.ask(get("/throws/loop")).status, 500);
  EXPECT_EQ(client.ask(get("/fast")).status, 200);
}

TEST_F(Http, a_second_answer_is_ignored_and_counted) {
  RawClient client = connect();
  EXPECT_EQ(client.ask(get("/twice")).body, "one");
  EXPECT_EQ(client.ask(get("/fast")).body, "fast");
  EXPECT_NE(server.counters.render().find("slipway_http_answered_twice_total 1"), std::string::npos);
}

TEST_F(Http, what_is_no_request_is_400_and_the_connection_closes) {
  for (const char* bytes :
       {"nonsense\r\n\r\n", "GET /fast HTTP/9.9\r\nHost: a\r\n\r\n",
        "GET /fast HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", "GET fast HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n",
        "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"}) {
    RawClient client = connect();
    const Answer answer = client.ask(bytes);
    EXPECT_EQ(answer.status, 400) << bytes;
    EXPECT_NE(answer.body.find("\"code\":\"invalid_argument\""), std::string::npos) << bytes;
    EXPECT_TRUE(client.is_closed_within(2s)) << bytes;
  }
}

TEST_F(Http, a_request_of_doubtful_length_or_host_is_refused) {
  for (const char* bytes :
       {"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /fast HTTP/1.1\r\n\r\n", "GET /fast HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    RawClient client = connect();
    EXPECT_EQ(client.ask(bytes).status, 400) << bytes;
    EXPECT_TRUE(client.is_closed_within(2s)) << bytes;
    EXPECT_TRUE(client.received().empty()) << client.received();
  }
}

TEST_F(Http, http_1_0_closes_unless_asked_not_to) {
  RawClient client = connect();
  EXPECT_EQ(client.ask("GET /fast HTTP/1.0\r\n\r\n").body, "fast");
  EXPECT_TRUE(client.is_closed_within(2s));
  RawClient other = connect();
  EXPECT_EQ(other.ask("GET /fast HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").headers.get("Connection"), "keep-alive");
  EXPECT_EQ(other.ask("GET /fast HTTP/1.0\r\n\r\n").body, "fast");
}

TEST_F(Http, an_unknown_method_is_refused) {
  EXPECT_EQ(connect().ask("BREW /fast HTTP/1.1\r\nHost: a\r\n\r\n").status, 501);
}

TEST_F(Http, a_huge_head_is_431) {
  RawClient client = connect();
  client.send(get("/fast", "X-Long: " + std::string(70'000, 'x') + "\r\n"));
  EXPECT_EQ(client.read_answer().status, 431);
  EXPECT_TRUE(client.is_closed_within(2s));
  RawClient many = connect();
  std::string fields;
  for (int i = 0; i < 20'000; ++i) fields += "a: b\r\n";
  many.send(get("/fast", fields));
  EXPECT_EQ(many.read_answer().status, 431);
}

TEST_F(Http, a_head_that_drips_is_408) {
  RawClient client = connect();
  client.send("GET /fast HTTP/1.1\r\nHost");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_TRUE(client.is_closed_within(2s));
}

TEST_F(Http, an_idle_connection_is_closed_without_a_word) {
  server.options.idle_timeout = 300ms;
  RawClient client = connect();
  EXPECT_EQ(client.ask(get("/fast")).status, 200);
  EXPECT_TRUE(client.is_closed_within(3s));
  EXPECT_TRUE(client.received().empty());
}

TEST_F(Http, a_body_slower_than_the_limit_is_408) {
  RawClient client = connect();
  client.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  // A byte now and then keeps it alive, but not fast enough.
  std::atomic<bool> over{false};
  std::thread drip([&] {
    while (!over && client.send("x")) std::this_thread::sleep_for(50ms);
  });
  EXPECT_EQ(client.read_answer().status, 408);
  over = true;
  drip.join();
}

TEST_F(Http, a_body_that_is_cut_off_reaches_no_handler) {
  RawClient client = connect();
  client.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this");
  ::shutdown(client.fd(), SHUT_WR);
  EXPECT_TRUE(client.is_closed_within(2s));
  EXPECT_TRUE(client.received().empty());
  EXPECT_EQ(connect().ask(get("/fast")).status, 200);
}

TEST_F(Http, chunked_bodies_are_joined_and_trailers_dropped) {
  RawClient client = connect();
  const std::string head = "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(client.ask(head + "5\r\nhello\r\n1;ext=\"v\"\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: no\r\n\r\n").body,
            "hello world");
  EXPECT_EQ(client.ask(get("/fast")).body, "fast");
}

TEST_F(Http, malformed_chunks_are_400) {
  for (const char* chunks : {"zz\r\nhello\r\n", "5\r\nhelloXX\r\n", "ffffffffffffffffff\r\n"}) {
    RawClient client = connect();
    EXPECT_EQ(
        client.ask(std::string("POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") + chunks).status,
        400)
        << chunks;
    EXPECT_TRUE(client.is_closed_within(2s));
  }
}

TEST_F(Http, a_body_over_the_limit_is_413_before_it_is_read) {
  RawClient client = connect();
  EXPECT_EQ(client.ask("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n").status, 413);
  EXPECT_TRUE(client.is_closed_within(2s));
  RawClient waiting = connect();
  EXPECT_EQ(
      waiting.ask("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\nExpect: 100-continue\r\n\r\n").status,
      413);
}

TEST_F(Http, a_client_that_sends_too_much_still_reads_the_413) {
  RawClient client = connect();
  client.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + std::string(500'000, 'x'));
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST_F(Http, chunks_over_the_limit_are_413) {
  RawClient client = connect();
  client.send("POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11 && client.send("2710\r\n" + std::string(10'000, 'x') + "\r\n"); ++i) {
  }
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST_F(Http, a_client_that_expects_continue_gets_it_first) {
  RawClient client = connect();
  EXPECT_EQ(client.ask("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").status,
            100);
  EXPECT_EQ(client.ask("hello").body, "hello");
}

TEST_F(Http, compressed_bodies_arrive_decompressed) {
  const std::string text(90'000, 'a');
  for (Encoding encoding : {Encoding::gzip, Encoding::zstd}) {
    const std::string header = "Content-Encoding: " + std::string(name(encoding)) + "\r\n";
    RawClient client = connect();
    EXPECT_EQ(client.ask(post("/body/pool", encode_body(encoding, text), header)).body, text);
    EXPECT_EQ(client.ask(post("/body/pool", encode_body(encoding, std::string(200'000, 'a')), header)).status, 413);
    EXPECT_EQ(client.ask(post("/body/pool", "these are no such bytes", header)).status, 400);
    EXPECT_EQ(client.ask(post("/body/pool", "x", "Content-Encoding: br\r\n")).status, 415);
  }
}

TEST_F(Http, large_answers_are_compressed_when_the_client_accepts_it) {
  RawClient client = connect();
  EXPECT_EQ(client.ask(get("/large")).body.size(), 50'002u);
  const Answer answer = client.ask(get("/large", "Accept-Encoding: gzip, zstd\r\n"));
  EXPECT_EQ(answer.headers.get("Content-Encoding"), "zstd");
  EXPECT_EQ(answer.headers.get("Vary"), "Accept-Encoding");
  EXPECT_LT(answer.body.size(), 1000u);
  EXPECT_EQ(decode_body("zstd", answer.body, 100'000).value().size(), 50'002u);
  EXPECT_EQ(client.ask(get("/fast", "Accept-Encoding: gzip\r\n")).body, "fast");
}

TEST_F(Http, a_gate_can_end_a_request_before_its_body_is_read) {
  server.router.add_gate([](Request& request) -> std::optional<Response> {
    if (request.headers.get("Authorization").empty()) return Response::json("{}", 401);
    request.headers.add("X-Seen", "yes");
    return std::nullopt;
  });
  RawClient client = connect();
  EXPECT_EQ(
      client.ask("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\nExpect: 100-continue\r\n\r\n").status,
      401);
  EXPECT_EQ(connect().ask(get("/fast", "Authorization: Bearer x\r\n")).status, 200);
}

TEST_F(Http, a_handler_may_answer_later_from_any_thread) { EXPECT_EQ(connect().ask(get("/later")).body, "later"); }

TEST_F(Http, the_peer_of_a_loopback_connection_has_its_owners_uid) {
  server.router.add(Method::get, "/peer", [](Request& request, Responder responder) {
    responder.send(Response::text(request.peer.address + " " + std::to_string(request.peer.loopback) + " " +
                                  (request.peer.uid ? std::to_string(*request.peer.uid) : "nobody")));
  });
  EXPECT_EQ(connect().ask(get("/peer")).body, "127.0.0.1 1 " + std::to_string(::getuid()));
}

TEST_F(Http, a_header_cannot_write_lines_of_its_own) {
  server.router.add(Method::get, "/split", [](Request&, Responder responder) {
    Response response = Response::text("x");
    response.headers.add("X-Bad", "a\r\nX-Injected: yes");
    responder.send(std::move(response));
  });
  const Answer answer = connect().ask(get("/split"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.headers.has("X-Injected"));
}

TEST(Server, a_full_pool_says_503_with_retry_after) {
  TestServer server(1, 1);
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  server.router.add(Method::get, "/wait", [gone](Request&, Responder responder) {
    gone.wait();
    responder.send(Response::text("done"));
  });
  const int port = server.start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawClient>(port));
    clients.back()->send(get("/wait"));
    std::this_thread::sleep_for(20ms);
  }
  // One runs, one waits, the others are told to come back.
  const Answer answer = clients.back()->read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.headers.get("Retry-After").empty());
  go.set_value();
  EXPECT_EQ(clients.front()->read_answer().body, "done");
}

TEST(Server, too_many_connections_are_told_to_come_back) {
  TestServer server;
  server.options.connections_max = 2;
  server.router.add(Method::get, "/", [](Request&, Responder responder) { responder.send(Response::text("x")); },
                    {.where = Where::on_loop});
  const int port = server.start();
  RawClient one(port), two(port);
  EXPECT_EQ(one.ask(get("/")).status, 200);
  EXPECT_EQ(two.ask(get("/")).status, 200);
  RawClient three(port);
  const Answer answer = three.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.headers.get("Retry-After").empty());
  EXPECT_TRUE(three.is_closed_within(2s));
  one.close();
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(RawClient(port).ask(get("/")).status, 200);
}

TEST(Server, a_graceful_stop_finishes_what_is_in_flight) {
  TestServer server;
  std::promise<void> entered;
  server.router.add(Method::get, "/slow", [&](Request&, Responder responder) {
    entered.set_value();
    std::this_thread::sleep_for(200ms);
    responder.send(Response::text("done"));
  });
  const int port = server.start();
  RawClient busy(port), idle(port);
  busy.send(get("/slow"));
  entered.get_future().wait();
  const auto began = std::chrono::steady_clock::now();
  server.server->stop(10s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  const Answer answer = busy.read_answer();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.headers.get("Connection"), "close");
  EXPECT_TRUE(idle.is_closed_within(1s));
  EXPECT_FALSE(RawClient(port).is_connected());
}

TEST(Server, a_stop_does_not_wait_longer_than_its_grace) {
  TestServer server;
  std::promise<void> go;
  server.router.add(Method::get, "/stuck", [gone = go.get_future().share()](Request&, Responder responder) {
    gone.wait();
    responder.send(Response::text("too late"));
  });
  RawClient client(server.start());
  client.send(get("/stuck"));
  std::this_thread::sleep_for(50ms);
  // The handler lets go only when the connection is gone: nothing of it may reach back.
  std::thread later([&] {
    client.is_closed_within(5s);
    go.set_value();
  });
  server.server->stop(100ms);
  later.join();
}

TEST(Server, a_port_in_use_is_named_in_the_error) {
  TestServer first, second;
  second.options.port = first.start();
  EXPECT_EQ(second.start(), 0);
  EXPECT_NE(second.problem.find("127.0.0.1:" + std::to_string(second.options.port)), std::string::npos)
      << second.problem;
}

TEST(Server, two_hundred_connections_at_once_all_get_their_own_answers) {
  TestServer server(8, 4096);
  server.router.add(Method::post, "/loop",
                    [](Request& request, Responder responder) { responder.send(Response::text(request.body)); },
                    {.where = Where::on_loop});
  server.router.add(Method::post, "/pool",
                    [](Request& request, Responder responder) { responder.send(Response::text(request.body)); });
  const int port = server.start();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::unique_ptr<RawClient>> clients;
      for (int i = 0; i < 25; ++i) clients.push_back(std::make_unique<RawClient>(port));
      for (int round = 0; round < 8; ++round) {
        const auto text = [&](size_t i) {
          return std::to_string(t) + "/" + std::to_string(i) + "/" + std::to_string(round) + std::string(i * 100, '.');
        };
        for (size_t i = 0; i < clients.size(); ++i) clients[i]->send(post(i % 2 ? "/pool" : "/loop", text(i)));
        for (size_t i = 0; i < clients.size(); ++i) wrong += clients[i]->read_answer(false, 20s).body != text(i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace slipway::http

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/process.h"
#include "http/testing.h"

namespace slipway::http {
namespace {

using namespace testing;

/// A server that says what the test scripts: each accepted connection gets one of `answers`, when the head of a request
/// has come, and is then closed.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this, answers = std::move(answers)] {
      for (const std::string& answer : answers) serve(answer);
    });
  }
  ~ScriptedServer() { thread_.join(); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }

  int port = 0;
  std::atomic<int> connections{0};

 private:
  void serve(const std::string& answer) {
    const UniqueFd fd(::accept(listener_.get(), nullptr, nullptr));
    ++connections;
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(fd.get(), &byte, 1, 0) == 1) head += byte;
    ::send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  UniqueFd listener_;
  std::thread thread_;
};

class Outgoing : public ::testing::Test {
 protected:
  void SetUp() override {
    server.router.add(Method::post, "/echo",
                      [](Request& request, Responder responder) {
                        Response response = Response::text(request.body);
                        response.headers.set("X-Type", std::string(request.headers.get("Content-Type")))
                            .set("X-Token", std::string(request.headers.get("Authorization")));
                        response.headers.set("X-Port", std::to_string(request.peer.port));
                        responder.send(std::move(response));
                      },
                      {.body_bytes_max = 4 << 20});
    server.router.add(Method::get, "/whole",
                      [](Request&, Responder responder) { responder.send(Response::text("whole")); });
    server.router.add(Method::get, "/stream", [](Request& request, Responder responder) {
      const auto length = request.query_value("length") ? std::optional<std::uint64_t>(3'000'000) : std::nullopt;
      const auto body = responder.stream(Response::text(""), length);
      for (int i = 0; i < 3; ++i) {
        if (!body->write(std::string(1'000'000, static_cast<char>('a' + i))).ok()) return;
      }
    });
    server.router.add(Method::get, "/wrong",
                      [](Request&, Responder responder) { responder.send(Response::text("why it is wrong", 409)); });
    server.router.add(Method::get, "/never", [](Request&, Responder responder) {
      std::this_thread::sleep_for(600ms);
      responder.send(Response::text("late"));
    });
    server.router.add_streaming(
        Method::put, "/count",
        [](Request&, BodyReader& body, Responder responder) {
          std::uint64_t bytes = 0;
          while (true) {
            const auto piece = body.next();
            if (!piece.ok() || piece->empty()) break;
            bytes += piece->size();
          }
          responder.send(Response::text(std::to_string(bytes) + (body.length() ? " announced" : " in chunks")));
        },
        {.body_bytes_max = 64 << 20});
    server.router.add_streaming(
        Method::post, "/refuse",
        [](Request&, BodyReader&, Responder responder) { responder.send(Response::text("no", 403)); },
        {.body_bytes_max = 1 << 30});
    port = server.start();
  }

  Client open(ClientOptions options = {}) {
    return std::move(Client::open("http://127.0.0.1:" + std::to_string(port), std::move(options)).value());
  }

  static std::function<Result<std::string>()> pieces(int count, size_t bytes) {
    return [count, bytes]() mutable -> Result<std::string> {
      return count-- > 0 ? std::string(bytes, 'x') : std::string();
    };
  }

  TestServer server;
  int port = 0;
};

TEST_F(Outgoing, requests_share_one_connection) {
  Client client = open({.bearer_token = "secret"});
  const auto first = client.request(Method::post, "/echo", "{}").value();
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "{}");
  EXPECT_EQ(first.headers.get("x-type"), "application/json");
  EXPECT_EQ(first.headers.get("X-Token"), "Bearer secret");
  const auto large = client.request(Method::post, "/echo", std::string(3'000'000, 'x'), "text/plain").value();
  EXPECT_EQ(large.body.size(), 3'000'000u);
  EXPECT_EQ(large.headers.get("X-Port"), first.headers.get("X-Port"));
}

TEST_F(Outgoing, head_has_no_body_and_the_connection_goes_on) {
  Client client = open();
  EXPECT_EQ(client.request(Method::head, "/whole").value().headers.get("Content-Length"), "5");
  EXPECT_EQ(client.request(Method::get, "/whole").value().body, "whole");
}

TEST_F(Outgoing, any_status_is_an_answer) { EXPECT_EQ(open().request(Method::get, "/wrong").value().status, 409); }

TEST_F(Outgoing, downloads_come_in_pieces_with_and_without_length) {
  Client client = open();
  for (const char* target : {"/stream", "/stream?length=1"}) {
    std::string got;
    size_t largest = 0;
    const auto response = client.download(target, [&](std::string_view piece) {
      got += piece;
      largest = std::max(largest, piece.size());
      return true;
    });
    EXPECT_EQ(response.value().status, 200);
    EXPECT_EQ(got, std::string(1'000'000, 'a') + std::string(1'000'000, 'b') + std::string(1'000'000, 'c'));
    EXPECT_LE(largest, 1u << 20);
    EXPECT_EQ(response.value().body, "");
  }
}

TEST_F(Outgoing, a_download_can_be_stopped_and_the_client_used_again) {
  Client client = open();
  EXPECT_EQ(client.download("/stream", [](std::string_view) { return false; }).error().code, ErrorCode::cancelled);
  EXPECT_EQ(client.request(Method::get, "/whole").value().body, "whole");
}

TEST_F(Outgoing, an_errors_body_is_in_the_answer_of_a_download) {
  const auto response = open().download("/wrong", [](std::string_view) { return ADD_FAILURE(), true; }).value();
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.body, "why it is wrong");
}

TEST_F(Outgoing, uploads_come_in_chunks_or_with_their_length) {
  Client client = open();
  EXPECT_EQ(client.upload(Method::put, "/count", std::nullopt, pieces(20, 100'000)).value().body, "2000000 in chunks");
  EXPECT_EQ(client.upload(Method::put, "/count", 2'000'000, pieces(20, 100'000)).value().body, "2000000 announced");
}

TEST_F(Outgoing, an_upload_that_cannot_be_produced_is_that_error) {
  Client client = open();
  EXPECT_EQ(client
                .upload(Method::put, "/count", std::nullopt,
                        []() -> Result<std::string> {
                          return Error{ErrorCode::data_loss, "gone"};
                        })
                .error()
                .message,
            "gone");
  EXPECT_EQ(client.upload(Method::put, "/count", 5, pieces(1, 3)).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client.request(Method::get, "/whole").value().status, 200);
}

TEST_F(Outgoing, an_upload_that_is_refused_early_still_shows_why) {
  Client client = open();
  const auto response = client.upload(Method::post, "/refuse", std::nullopt, pieces(500, 1 << 20));
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(client.request(Method::get, "/whole").value().status, 200);
}

TEST_F(Outgoing, a_slow_answer_is_timed_out_with_the_url) {
  const auto response = open({.read_timeout = 200ms}).request(Method::get, "/never");
  EXPECT_EQ(response.error().code, ErrorCode::timed_out);
  EXPECT_NE(response.error().message.find("http://127.0.0.1"), std::string::npos) << response.error().message;
}

TEST_F(Outgoing, headers_and_targets_cannot_write_lines) {
  Client client = open();
  EXPECT_EQ(client.request(Method::get, "/whole\r\nX: y").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client.request(Method::get, "/a b").error().code, ErrorCode::invalid_argument);
  Headers headers;
  headers.add("X", "a\r\nY: b");
  EXPECT_EQ(client.request(Method::get, "/whole", "", "", headers).error().code, ErrorCode::invalid_argument);
}

TEST_F(Outgoing, an_idle_connection_that_the_server_closed_is_opened_again) {
  server.server->stop(0s);
  server.server.reset();
  server.options.idle_timeout = 100ms;
  port = server.start();
  Client client = open();
  EXPECT_EQ(client.request(Method::post, "/echo", "1").value().body, "1");
  std::this_thread::sleep_for(400ms);
  EXPECT_EQ(client.request(Method::post, "/echo", "2").value().body, "2");
}

TEST(OutgoingUrl, only_servers_are_urls) {
  for (const char* wrong : {"", "127.0.0.1:7070", "ftp://a", "http://", "http://a:0", "http://a:99999", "http://a/path",
                            "http://user@a", "http://[::1", "http://a\r\nb"}) {
    EXPECT_EQ(Client::open(wrong).error().code, ErrorCode::invalid_argument) << wrong;
  }
  for (const char* right : {"http://a", "http://a:7070", "http://a:7070/", "http://[::1]:80"})
    EXPECT_TRUE(Client::open(right).ok()) << right;
}

TEST(OutgoingUrl, nobody_there_is_unavailable) {
  const auto response = Client::open("http://127.0.0.1:1").value().request(Method::get, "/");
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_EQ(Client::open("http://no-such-host.invalid").value().request(Method::get, "/").error().code,
            ErrorCode::unavailable);
}

TEST(OutgoingAnswers, a_body_without_length_ends_with_the_connection) {
  const ScriptedServer server({"HTTP/1.1 200 OK\r\n\r\nall of it"});
  EXPECT_EQ(Client::open(server.url()).value().request(Method::get, "/").value().body, "all of it");
}

TEST(OutgoingAnswers, an_answer_that_is_cut_off_or_no_http_is_unavailable) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "HTTP/1.1 200",
                             "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const ScriptedServer server({answer});
    const auto response = Client::open(server.url()).value().request(Method::post, "/");
    ASSERT_FALSE(response.ok()) << answer;
    EXPECT_EQ(response.error().code, ErrorCode::unavailable) << answer;
  }
}

TEST(OutgoingAnswers, announcements_are_skipped) {
  const ScriptedServer server(
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"});
  EXPECT_EQ(Client::open(server.url()).value().request(Method::post, "/").value().status, 201);
}

TEST(OutgoingAnswers, a_post_is_not_sent_twice) {
  ScriptedServer server({""});
  EXPECT_EQ(Client::open(server.url()).value().request(Method::post, "/", "x").error().code, ErrorCode::unavailable);
  EXPECT_EQ(server.connections, 1);
}

/// A certificate for 127.0.0.1 that is its own authority.
TEST(OutgoingTls, trusts_only_the_authorities_it_is_given) {
  const TemporaryDirectory folder;
  const std::string certificate = folder.path() / "cert.pem", key = folder.path() / "key.pem";
  ProcessSpec spec;
  spec.arguments = {"openssl", "req",   "-x509", "-newkey",  "ec",       "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes",  "-days", "2",     "-subj",    "/CN=test", "-addext",  "subjectAltName=IP:127.0.0.1",
                    "-keyout", key,     "-out",  certificate};
  ASSERT_TRUE(run_command(spec, 30s).value().status.ok());
  TestServer server;
  server.options.tls = TlsOptions{certificate, key};
  server.router.add(Method::get, "/large",
                    [](Request&, Responder responder) { responder.send(Response::text(std::string(3'000'000, 'x'))); });
  server.router.add(Method::post, "/size", [](Request& request, Responder responder) {
    responder.send(Response::text(std::to_string(request.body.size())));
  });
  const std::string url = "https://127.0.0.1:" + std::to_string(server.start());
  Client client = std::move(Client::open(url, {.ca_file = certificate}).value());
  EXPECT_EQ(client.request(Method::get, "/large").value().body.size(), 3'000'000u);
  EXPECT_EQ(client.request(Method::post, "/size", std::string(5'000'000, 'y')).value().body, "5000000");
  auto left = std::make_shared<int>(3);
  const auto produce = [left]() -> Result<std::string> {
    return (*left)-- > 0 ? std::string(700'000, 'z') : std::string();
  };
  EXPECT_EQ(client.upload(Method::post, "/size", std::nullopt, produce).value().body, "2100000");
  EXPECT_EQ(client.request(Method::post, "/size").value().body, "0");

  const auto distrusted = Client::open(url).value().request(Method::get, "/large");
  EXPECT_NE(distrusted.error().message.find("certificate"), std::string::npos) << distrusted.error().message;
  const auto misnamed =
      Client::open("https://localhost:" + std::to_string(server.server->port()), {.ca_file = certificate})
          .value()
          .request(Method::get, "/large");
  EXPECT_FALSE(misnamed.ok());
  EXPECT_EQ(Client::open(url, {.ca_file = key}).error().code, ErrorCode::failed_precondition);
}

}  // namespace
}  // namespace slipway::http

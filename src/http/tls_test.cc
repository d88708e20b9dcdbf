#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/process.h"
#include "http/testing.h"
#include "http/tls.h"

namespace slipway::http {
namespace {

using namespace testing;

/// A key and a certificate for `name`, made by the openssl command.
void make_certificate(const std::filesystem::path& folder, const std::string& name) {
  ProcessSpec spec;
  spec.arguments = {"openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    "/CN=" + name,
                    "-keyout",
                    folder / "key.pem",
                    "-out",
                    folder / "certificate.pem"};
  const auto null = open_file("/dev/null", O_WRONLY).value();
  spec.stderr_fd = spec.stdout_fd = null.get();
  auto process = Process::start(spec);
  ASSERT_TRUE(process.ok()) << process.error().message;
  ASSERT_TRUE(process->wait(std::chrono::seconds(20))->ok());
}

/// A client that trusts whatever it gets, and says what that was.
class TlsClient {
 public:
  explicit TlsClient(int port)
      : raw_(port),
        context_(::SSL_CTX_new(::TLS_client_method()), ::SSL_CTX_free),
        ssl_(::SSL_new(context_.get()), ::SSL_free) {
    ::SSL_set_fd(ssl_.get(), raw_.fd());
    is_connected_ = ::SSL_connect(ssl_.get()) == 1;
  }
  ~TlsClient() {
    if (is_connected_) ::SSL_shutdown(ssl_.get());
  }

  bool is_connected() const { return is_connected_; }

  std::string name() const {
    const std::unique_ptr<X509, void (*)(X509*)> certificate(::SSL_get1_peer_certificate(ssl_.get()), ::X509_free);
    char text[256] = "";
    if (certificate)
      ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate.get()), NID_commonName, text, sizeof text);
    return text;
  }

  bool send(std::string_view bytes) {
    return ::SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }

  /// What comes until `bytes` have, or the connection ends.
  std::string read(size_t bytes) {
    std::string out;
    char piece[16384];
    while (out.size() < bytes) {
      const int n = ::SSL_read(ssl_.get(), piece, sizeof piece);
      if (n <= 0) break;
      out.append(piece, static_cast<size_t>(n));
    }
    return out;
  }

  std::string read_until(std::string_view end) {
    std::string out;
    while (out.find(end) == std::string::npos) {
      const std::string more = read(1);
      if (more.empty()) break;
      out += more;
    }
    return out;
  }

 private:
  RawClient raw_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool is_connected_ = false;
};

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    make_certificate(folder.path(), "first");
    server.options.tls = TlsOptions{folder.path() / "certificate.pem", folder.path() / "key.pem"};
    server.router.add(Method::get, "/",
                      [](Request& request, Responder responder) {
                        responder.send(Response::text(request.peer.tls ? "over tls" : "plain"));
                      },
                      {.where = Where::on_loop});
    server.router.add(Method::get, "/large", [](Request&, Responder responder) {
      const auto writer = responder.stream(Response::text(""), 8u << 20);
      for (int i = 0; i < 8; ++i) (void)writer->write(std::string(1 << 20, 'x'));
    });
    server.router.add(Method::get, "/events",
                      [this](Request&, Responder responder) {
                        const auto writer = responder.stream(Response::text(""));
                        writer->on_client_gone([this] { ++gone; });
                        writer->try_write("data: 1\n\n");
                        held = writer;
                      },
                      {.where = Where::on_loop});
  }

  TemporaryDirectory folder;
  std::atomic<int> gone{0};
  std::shared_ptr<BodyWriter> held;
  TestServer server;
};

TEST_F(Tls, requests_are_answered_over_tls) {
  const int port = server.start();
  ASSERT_NE(port, 0) << server.problem;
  TlsClient client(port);
  ASSERT_TRUE(client.is_connected());
  EXPECT_EQ(client.name(), "first");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(get("/")));
    EXPECT_NE(client.read_until("over tls").find("200 OK"), std::string::npos);
  }
}

TEST_F(Tls, large_answers_come_whole) {
  TlsClient client(server.start());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(client.send(get("/large")));
    ASSERT_NE(client.read_until("\r\n\r\n"), "");
    EXPECT_EQ(client.read(8 << 20).size(), 8u << 20);
  }
}

TEST_F(Tls, files_come_whole) {
  const std::string content(3'000'001, 'f');
  ASSERT_TRUE(write_file_atomic(folder.path() / "file", content).ok());
  server.router.add(Method::get, "/file", [&](Request&, Responder responder) {
    responder.send_file({}, open_file(folder.path() / "file", O_RDONLY).value(), 1, content.size() - 1);
  });
  TlsClient client(server.start());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(client.send(get("/file")));
    ASSERT_NE(client.read_until("\r\n\r\n"), "");
    EXPECT_TRUE(client.read(content.size() - 1) == content.substr(1));
  }
}

TEST_F(Tls, a_client_that_leaves_a_stream_is_noticed) {
  {
    TlsClient client(server.start());
    ASSERT_TRUE(client.send(get("/events")));
    client.read_until("data: 1");
  }
  for (int i = 0; i < 200 && gone == 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(gone, 1);
}

TEST_F(Tls, a_client_that_speaks_plain_http_gets_nothing_and_harms_nobody) {
  const int port = server.start();
  RawClient plain(port);
  plain.send(get("/"));
  EXPECT_TRUE(plain.is_closed_within(5s));
  EXPECT_TRUE(TlsClient(port).is_connected());
}

TEST_F(Tls, a_new_certificate_is_used_without_a_restart) {
  const int port = server.start();
  TlsClient before(port);
  EXPECT_EQ(before.name(), "first");
  make_certificate(folder.path(), "second");
  std::this_thread::sleep_for(kTlsCheckTime + 100ms);
  EXPECT_EQ(TlsClient(port).name(), "second");
  // Who is connected stays connected.
  ASSERT_TRUE(before.send(get("/")));
  EXPECT_NE(before.read_until("over tls").find("200 OK"), std::string::npos);
}

TEST_F(Tls, a_broken_new_certificate_leaves_the_old_one_in_use) {
  const int port = server.start();
  ASSERT_TRUE(write_file_atomic(folder.path() / "certificate.pem", "this is no certificate").ok());
  std::this_thread::sleep_for(kTlsCheckTime + 100ms);
  EXPECT_EQ(TlsClient(port).name(), "first");
}

TEST_F(Tls, files_that_are_no_certificate_are_an_error_with_their_name) {
  ASSERT_TRUE(write_file_atomic(folder.path() / "certificate.pem", "this is no certificate").ok());
  EXPECT_EQ(server.start(), 0);
  EXPECT_NE(server.problem.find("certificate.pem"), std::string::npos) << server.problem;
}

}  // namespace
}  // namespace slipway::http

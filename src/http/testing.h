// For this room's tests: a server on a free port, and a client that sends the bytes it is told to send, right or wrong.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "http/http.h"

namespace slipway::http::testing {

using namespace std::chrono_literals;

struct Answer {
  int status = 0;  // 0: the connection ended before the head did
  std::string head;
  Headers headers;
  std::string body;
  bool is_whole = false;
};

/// A TCP connection to 127.0.0.1 that knows only how to find the end of an answer.
class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer_bytes = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0)
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    const int on = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  bool is_connected() const { return is_connected_; }
  int fd() const { return fd_.get(); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  void close() { fd_.reset(); }

  /// Reads once, waiting at most `limit`. False at the end, on an error, or when nothing came.
  bool read_some(Duration limit = 5s) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(limit.count() / 1000)) <= 0) return false;
    char piece[65536];
    const ssize_t n = ::recv(fd_.get(), piece, sizeof piece, 0);
    if (n <= 0) {
      has_ended_ = true;
      return false;
    }
    received_.append(piece, static_cast<size_t>(n));
    return true;
  }

  /// What came so far and was not read as an answer.
  const std::string& received() const { return received_; }

  bool read_until(std::string_view text, Duration limit = 5s) {
    while (received_.find(text) == std::string::npos) {
      if (!read_some(limit)) return false;
    }
    return true;
  }

  /// Whether the server closes within the limit; what comes before is kept.
  bool is_closed_within(Duration limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!has_ended_ && std::chrono::steady_clock::now() < end) read_some(50ms);
    return has_ended_;
  }

  Answer read_answer(bool is_head = false, Duration limit = 10s) {
    Answer answer;
    if (!read_until("\r\n\r\n", limit)) return answer;
    parse_head(answer);
    if (is_head || answer.status < 200 || answer.status == 204 || answer.status == 304) {
      answer.is_whole = true;
    } else if (answer.headers.get("Transfer-Encoding") == "chunked") {
      answer.is_whole = read_chunks(answer.body, limit);
    } else {
      const size_t length = parse_u64(answer.headers.get("Content-Length")).value_or(0);
      while (received_.size() < length && read_some(limit)) {
      }
      answer.is_whole = received_.size() >= length;
      answer.body = received_.substr(0, length);
      received_.erase(0, length);
    }
    return answer;
  }

  /// One request after the other on this connection.
  Answer ask(std::string_view bytes, bool is_head = false) {
    send(bytes);
    return read_answer(is_head);
  }

 private:
  void parse_head(Answer& answer) {
    const size_t end = received_.find("\r\n\r\n");
    answer.head = received_.substr(0, end);
    received_.erase(0, end + 4);
    answer.status = static_cast<int>(parse_i64(std::string_view(answer.head).substr(9, 3)).value_or(0));
    for (const std::string& line : split(answer.head, '\n')) {
      const size_t colon = line.find(':');
      if (colon != std::string::npos)
        answer.headers.add(line.substr(0, colon), std::string(trim(std::string_view(line).substr(colon + 1))));
    }
  }

  bool read_chunks(std::string& body, Duration limit) {
    while (true) {
      while (received_.find("\r\n") == std::string::npos) {
        if (!read_some(limit)) return false;
      }
      const size_t line = received_.find("\r\n");
      const size_t size = std::stoul(received_.substr(0, line), nullptr, 16);
      while (received_.size() < line + 2 + size + 2) {
        if (!read_some(limit)) return false;
      }
      body += received_.substr(line + 2, size);
      received_.erase(0, line + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  UniqueFd fd_;
  bool is_connected_ = false;
  bool has_ended_ = false;
  std::string received_;
};

inline std::string get(std::string_view target, std::string_view more_headers = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more_headers) + "\r\n";
}

inline std::string post(std::string_view target, std::string_view body, std::string_view more_headers = "") {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

/// Fill `router`, adjust `options`, then start.
struct TestServer {
  explicit TestServer(size_t pool_threads = 4, size_t pool_waiting_max = 256)
      : pool("test", pool_threads, pool_waiting_max, counters) {
    options.loops = 2;
  }
  ~TestServer() {
    if (server) server->stop(1s);
  }

  int start() {
    auto started = Server::start(options, router, pool, counters);
    if (!started.ok()) {
      problem = started.error().message;
      return 0;
    }
    server = std::move(*started);
    return server->port();
  }

  Counters counters;
  Router router;
  ServerOptions options;
  ThreadPool pool;  // joins before the router goes, whose handlers it may still run
  std::unique_ptr<Server> server;
  std::string problem;
};

}  // namespace slipway::http::testing

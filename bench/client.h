// What the measuring clients share: a keep-alive connection that costs as little as possible.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace slipway::bench {

constexpr std::size_t kAnswerBytesMax = 64 << 20;

struct Target {
  sockaddr_in address{};
  std::string host;
};

[[noreturn]] inline void fail(const std::string& sentence) {
  std::fprintf(stderr, "bench: %s\n", sentence.c_str());
  std::exit(1);
}

inline Target parse_target(const std::string& text) {
  Target target{.host = text};
  const size_t colon = text.rfind(':');
  target.address.sin_family = AF_INET;
  if (colon == std::string::npos || inet_pton(AF_INET, text.substr(0, colon).c_str(), &target.address.sin_addr) != 1) {
    fail("'" + text + "' is no ADDRESS:PORT");
  }
  target.address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
  return target;
}

/// One keep-alive connection; reconnects when the server closed it.
class Connection {
 public:
  explicit Connection(const Target& target) : target_(target) { open(); }
  Connection(const Connection&) = delete;
  ~Connection() { close(socket_); }

  /// Sends one request and reads the whole answer; its status, 0 when the connection broke. `content` gets the body.
  int ask(std::string_view request, std::string* content = nullptr) {
    if (!send_all(request)) {
      reopen();
      if (!send_all(request)) return 0;
    }
    const int status = read_answer(content);
    if (status == 0 || closes_) reopen();
    return status;
  }

 private:
  void open() {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&target_.address), sizeof target_.address) != 0) {
      fail("cannot connect to " + target_.host);
    }
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  void reopen() {
    close(socket_);
    buffer_.clear();
    open();
  }

  bool send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  bool fill() {
    char piece[65536];
    const ssize_t got = recv(socket_, piece, sizeof piece, 0);
    if (got <= 0 || buffer_.size() > kAnswerBytesMax) return false;
    buffer_.append(piece, static_cast<size_t>(got));
    return true;
  }

  int read_answer(std::string* content) {
    size_t head_end = 0;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return 0;
    }
    std::string head = buffer_.substr(0, head_end + 2);
    for (char& c : head) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    const int status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
    closes_ = head.find("\r\nconnection: close") != std::string::npos;
    const size_t body = head_end + 4;
    size_t end = body;
    if (const size_t at = head.find("\r\ncontent-length:"); at != std::string::npos) {
      end = body + std::strtoull(head.c_str() + at + 17, nullptr, 10);
      while (buffer_.size() < end) {
        if (!fill()) return 0;
      }
    } else if (head.find("\r\ntransfer-encoding: chunked") != std::string::npos) {
      while ((end = buffer_.find("0\r\n\r\n", body)) == std::string::npos) {
        if (!fill()) return 0;
      }
      end += 5;
    }
    if (content) content->assign(buffer_, body, end - body);
    buffer_.erase(0, end);
    return status;
  }

  Target target_;
  int socket_ = -1;
  bool closes_ = false;
  std::string buffer_;
};

}  // namespace slipway::bench

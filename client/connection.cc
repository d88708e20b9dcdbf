#include "connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace slipway::tracking {
namespace {

constexpr int kTimeoutSeconds = 30;
constexpr std::size_t kAnswerBytesMax = 16u << 20;
constexpr std::size_t kPieceBytes = 256u << 10;

/// The value of a header in lower-case head text, or empty.
std::string header(const std::string& head, const char* name) {
  const std::size_t at = head.find(std::string("\r\n") + name + ":");
  if (at == std::string::npos) return "";
  std::size_t from = at + std::strlen(name) + 3;
  while (from < head.size() && head[from] == ' ') ++from;
  return head.substr(from, head.find("\r\n", from) - from);
}

}  // namespace

Connection::Connection(const std::string& url, Headers headers) : headers_(std::move(headers)) {
  static const std::string kScheme = "http://";
  if (url.compare(0, kScheme.size(), kScheme) != 0) return;
  std::string rest = url.substr(kScheme.size());
  while (!rest.empty() && rest.back() == '/') rest.pop_back();
  const std::size_t slash = rest.find('/');
  if (slash != std::string::npos) prefix_ = rest.substr(slash);
  authority_ = rest.substr(0, slash);
  const std::size_t colon = authority_.rfind(':');
  const bool has_port = colon != std::string::npos && authority_.find(']', colon) == std::string::npos;
  host_ = has_port ? authority_.substr(0, colon) : authority_;
  port_ = has_port ? authority_.substr(colon + 1) : "80";
  if (host_.size() > 2 && host_.front() == '[') host_ = host_.substr(1, host_.size() - 2);
}

Connection::~Connection() { drop(); }

void Connection::drop() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool Connection::reach() {
  if (socket_ >= 0) return true;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host_.c_str(), port_.c_str(), &wanted, &found) != 0) return false;
  for (const addrinfo* at = found; at != nullptr && socket_ < 0; at = at->ai_next) {
    socket_ = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (socket_ < 0) continue;
    const timeval limit{kTimeoutSeconds, 0};
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, at->ai_addr, at->ai_addrlen) != 0) drop();
  }
  ::freeaddrinfo(found);
  return socket_ >= 0;
}

std::string Connection::head(std::string_view method, std::string_view path, std::string_view type,
                             std::size_t length) const {
  std::string out;
  out.append(method).append(" ").append(prefix_).append(path).append(" HTTP/1.1\r\nHost: ").append(authority_);
  out.append("\r\nContent-Type: ").append(type);
  out.append("\r\nContent-Length: ").append(std::to_string(length)).append("\r\n");
  for (const auto& [key, value] : headers_) out.append(key).append(": ").append(value).append("\r\n");
  return out.append("\r\n");
}

bool Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Connection::write_file(int file) {
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const ssize_t n = ::read(file, piece.data(), piece.size());
    if (n <= 0) return n == 0;
    if (!write(std::string_view(piece.data(), static_cast<std::size_t>(n)))) return false;
  }
}

bool Connection::read_more(std::string& received) {
  char piece[16384];
  const ssize_t n = ::recv(socket_, piece, sizeof piece, 0);
  if (n <= 0 || received.size() > kAnswerBytesMax) return false;
  received.append(piece, static_cast<std::size_t>(n));
  return true;
}

Answer Connection::read_answer() {
  std::string received;
  std::size_t end = std::string::npos;
  while ((end = received.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more(received)) return {};
  }
  std::string lines = received.substr(0, end + 2);
  for (char& c : lines) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (lines.compare(0, 7, "http/1.") != 0 || lines.size() < 12) return {};
  Answer answer{std::atoi(lines.c_str() + 9), received.substr(end + 4)};
  const std::string length = header(lines, "content-length");
  const std::size_t wanted = length.empty() ? 0 : std::strtoull(length.c_str(), nullptr, 10);
  while (answer.body.size() < wanted) {
    if (!read_more(answer.body)) return {};
  }
  // An answer without a length (none of ours) leaves nothing to find the next one by.
  if (length.empty() || header(lines, "connection") == "close") drop();
  return answer;
}

Answer Connection::send(std::string_view method, std::string_view path, std::string_view body) {
  // A kept connection may be closed by the server in the very moment it is used; all we send may be sent again.
  for (int tries = 0; tries < 2; ++tries) {
    const bool was_kept = socket_ >= 0;
    if (!reach()) return {};
    if (write(head(method, path, "application/json", body.size()).append(body))) {
      Answer answer = read_answer();
      if (answer.status != 0) return answer;
    }
    drop();
    if (!was_kept) break;
  }
  return {};
}

Answer Connection::send_file(std::string_view path, const std::string& file) {
  const int in = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (in < 0 || ::fstat(in, &about) != 0) {
    if (in >= 0) ::close(in);
    return {400, "cannot read " + file};
  }
  drop();  // a body cannot be sent twice, so not on a connection that may be closed already
  Answer answer;
  if (reach() && write(head("PUT", path, "application/octet-stream", static_cast<std::size_t>(about.st_size))) &&
      write_file(in))
    answer = read_answer();
  if (answer.status == 0) drop();
  ::close(in);
  return answer;
}

std::string encode_path(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || c == '/';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[(static_cast<unsigned char>(c) >> 4) & 15];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string json_number(double value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

}  // namespace slipway::tracking

// One keep-alive HTTP connection, as little as the tracking client needs. Private to the library.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::tracking {

struct Answer {
  int status = 0;  // 0: nobody answered
  std::string body;
};

/// Plain http to "http://host:port[/prefix]". Not thread-safe; every wait has an end.
class Connection {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  Connection(const std::string& url, Headers headers);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// False for https and for what is no URL.
  bool is_usable() const { return !host_.empty(); }
  Answer send(std::string_view method, std::string_view path, std::string_view body);
  /// A file as the body of a PUT.
  Answer send_file(std::string_view path, const std::string& file);

 private:
  bool reach();
  void drop();
  std::string head(std::string_view method, std::string_view path, std::string_view type, std::size_t length) const;
  bool write(std::string_view bytes);
  bool write_file(int file);
  Answer read_answer();
  bool read_more(std::string& received);

  std::string authority_, host_, port_, prefix_;
  const Headers headers_;
  int socket_ = -1;
};

/// Percent-encoded, slashes kept.
std::string encode_path(std::string_view path);
std::string json_text(std::string_view text);
std::string json_number(double value);

}  // namespace slipway::tracking

// JSON over HTTP with one server, as careful as an import must be: what may pass is tried again.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "http/http.h"

namespace slipway::imports {

/// How often a request is sent when the server is busy or does not answer; the pauses between double from the first.
inline constexpr int kTriesMax = 5;
inline constexpr Duration kFirstPause = std::chrono::milliseconds(200);

struct Credentials {
  std::string user, password;  // HTTP Basic when set
  std::string token;           // else a bearer token when set
};

/// One thread at a time. Every request must be safe to send again. Errors carry the server's own sentence; unavailable,
/// timed_out and busy only after the last try.
class Rest {
 public:
  /// `url` may have a path (a server behind a prefix), and "user:password@" before its host.
  static Result<Rest> open(std::string_view url, Credentials credentials, http::Headers headers = {});

  /// The URL without credentials and without a slash at its end.
  const std::string& url() const { return url_; }

  Result<Json> get(std::string_view path) { return send(http::Method::get, path, ""); }
  Result<Json> post(std::string_view path, std::string body) { return send(http::Method::post, path, std::move(body)); }
  Result<Json> put(std::string_view path, std::string body) { return send(http::Method::put, path, std::move(body)); }
  Result<Json> patch(std::string_view path, std::string body) {
    return send(http::Method::patch, path, std::move(body));
  }
  /// The bytes of a GET as a file.
  Result<void> download(std::string_view path, const std::filesystem::path& file);
  /// A file as the body of a PUT.
  Result<void> upload(std::string_view path, const std::filesystem::path& file);

 private:
  Rest(http::Client client, std::string url, std::string prefix, http::Headers headers)
      : client_(std::move(client)), url_(std::move(url)), prefix_(std::move(prefix)), headers_(std::move(headers)) {}
  Result<Json> send(http::Method method, std::string_view path, std::string body);
  Result<http::ClientResponse> again(const std::function<Result<http::ClientResponse>()>& once, std::string_view path);

  http::Client client_;
  std::string url_, prefix_;
  http::Headers headers_;
};

/// Whether the import as a whole should end: the other side is away, or does not let us in.
bool ends_everything(const Error& error);

}  // namespace slipway::imports

#include "imports/rest.h"

#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "base/text.h"

namespace slipway::imports {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

ErrorCode code_of(int status) {
  switch (status) {
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::permission_denied;
    case 404: return ErrorCode::not_found;
    case 409: return ErrorCode::already_exists;
    case 412: return ErrorCode::failed_precondition;
    case 413: return ErrorCode::too_large;
    case 429:
    case 503: return ErrorCode::busy;
    case 501: return ErrorCode::unsupported;
    case 502: return ErrorCode::unavailable;
    case 504: return ErrorCode::timed_out;
    default: return status < 500 ? ErrorCode::invalid_argument : ErrorCode::internal;
  }
}

/// In the server's own words where it has some: {"error": {"message"}} as ours, {"message"} as MLflow's.
Error error_of(const http::ClientResponse& response, std::string_view path) {
  const ErrorCode code = code_of(response.status);
  const auto json = Json::parse(response.body);
  if (json.ok()) {
    for (const std::string& message : {(*json)["error"]["message"].string(), (*json)["message"].string()}) {
      if (!message.empty()) return {code, clean_utf8(message, 1000)};
    }
  }
  return {code, "the server answered " + std::to_string(response.status) + " to " + clean_utf8(path, 300)};
}

bool may_pass(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

bool may_pass(const Error& error) { return error.code == ErrorCode::unavailable || error.code == ErrorCode::timed_out; }

}  // namespace

bool ends_everything(const Error& error) {
  switch (error.code) {
    case ErrorCode::unavailable:
    case ErrorCode::timed_out:
    case ErrorCode::busy:
    case ErrorCode::unauthenticated:
    case ErrorCode::cancelled: return true;
    default: return false;
  }
}

Result<Rest> Rest::open(std::string_view url, Credentials credentials, http::Headers headers) {
  std::string_view rest = url;
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t scheme = rest.find("://");
  const size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t slash = rest.find('/', host);
  std::string authority(rest.substr(host, slash == std::string_view::npos ? slash : slash - host));
  const std::string prefix(slash == std::string_view::npos ? "" : rest.substr(slash));
  if (const size_t at = authority.rfind('@'); at != std::string::npos) {
    const std::string login = authority.substr(0, at);
    const size_t colon = login.find(':');
    credentials.user = http::url_decode(login.substr(0, colon));
    credentials.password = colon == std::string::npos ? "" : http::url_decode(login.substr(colon + 1));
    authority.erase(0, at + 1);
  }
  const std::string origin = std::string(rest.substr(0, host)) + authority;
  http::ClientOptions options;
  if (!credentials.user.empty()) {
    headers.set("Authorization", "Basic " + base64_encode(credentials.user + ":" + credentials.password));
  } else {
    options.bearer_token = credentials.token;
  }
  auto client = TRY(http::Client::open(origin, options));
  return Rest(std::move(client), origin + prefix, prefix, std::move(headers));
}

Result<http::ClientResponse> Rest::again(const std::function<Result<http::ClientResponse>()>& once,
                                         std::string_view path) {
  Duration pause = kFirstPause;
  for (int tries = 1;; ++tries, pause *= 2) {
    auto answer = once();
    const bool passes = answer.ok() ? may_pass(answer->status) : may_pass(answer.error());
    if (!passes || tries == kTriesMax) {
      if (!answer.ok()) return answer.error();
      if (answer->status >= 400) return error_of(*answer, path);
      return answer;
    }
    std::this_thread::sleep_for(pause);
  }
}

Result<Json> Rest::send(http::Method method, std::string_view path, std::string body) {
  const std::string target = prefix_ + std::string(path);
  const auto answer =
      TRY(again([&] { return client_.request(method, target, body, "application/json", headers_); }, path));
  if (answer.body.empty()) return Json(Json::Object{});
  auto json = Json::parse(answer.body);
  if (json.ok()) return json;
  return Error{ErrorCode::unsupported, url_ + " answered " + clean_utf8(path, 200) +
                                           " with something that is no JSON (" + json.error().message + ")"};
}

Result<void> Rest::download(std::string_view path, const std::filesystem::path& file) {
  const std::string target = prefix_ + std::string(path);
  Result<void> written;
  const auto once = [&]() -> Result<http::ClientResponse> {
    const UniqueFd out = TRY(open_file(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC));
    written = {};
    return client_.download(
        target,
        [&](std::string_view bytes) {
          written = write_all(out.get(), bytes, file);
          return written.ok();
        },
        headers_);
  };
  const auto answer = again(once, path);
  TRY(written);
  TRY(answer);
  return {};
}

Result<void> Rest::upload(std::string_view path, const std::filesystem::path& file) {
  const std::string target = prefix_ + std::string(path);
  const auto once = [&]() -> Result<http::ClientResponse> {
    const UniqueFd in = TRY(open_file(file, O_RDONLY | O_CLOEXEC));
    const off_t size = ::lseek(in.get(), 0, SEEK_END);
    ::lseek(in.get(), 0, SEEK_SET);
    std::string piece;
    const auto produce = [&]() -> Result<std::string> {
      piece.resize(kPieceBytes);
      const ssize_t n = ::read(in.get(), piece.data(), piece.size());
      if (n < 0) return system_error("reading", file, errno);
      return piece.substr(0, static_cast<size_t>(n));
    };
    return client_.upload(http::Method::put, target, static_cast<std::uint64_t>(size), produce, headers_);
  };
  TRY(again(once, path));
  return {};
}

}  // namespace slipway::imports

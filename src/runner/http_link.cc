#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "http/http.h"
#include "runner/link.h"

namespace slipway::runner {
namespace {

constexpr size_t kMissingPerRequestMax = 10'000;

/// The code by the name in the answer's body; by the status when a proxy answered.
ErrorCode code_of(int status, std::string_view name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    if (slipway::name(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  }
  switch (status) {
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::permission_denied;
    case 404: return ErrorCode::not_found;
    case 413: return ErrorCode::too_large;
    case 429: return ErrorCode::busy;
    default: return status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid_argument;
  }
}

Error error_of(const http::ClientResponse& response, std::string_view what) {
  const auto json = Json::parse(response.body);
  const Json error = json.ok() ? (*json)["error"] : Json();
  const std::string& sentence = error["message"].string();
  return Error{code_of(response.status, error["code"].string()),
               sentence.empty() ? fmt::format("{}: the server answered {}", what, response.status) : sentence};
}

void append_u32(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>((value >> (8 * i)) & 255);
}

/// Cuts a stream of `u32-LE length, bytes` back into its pieces.
class Frames {
 public:
  Result<void> feed(std::string_view bytes, const std::function<Result<void>(std::string)>& take) {
    pending_ += bytes;
    size_t from = 0;
    while (pending_.size() - from >= 4) {
      std::uint32_t length = 0;
      for (int i = 3; i >= 0; --i)
        length = length << 8 | static_cast<unsigned char>(pending_[from + static_cast<size_t>(i)]);
      if (pending_.size() - from - 4 < length) break;
      TRY(take(pending_.substr(from + 4, length)));
      from += 4 + size_t{length};
    }
    pending_.erase(0, from);
    return {};
  }
  bool at_end() const { return pending_.empty(); }

 private:
  std::string pending_;
};

class HttpLink : public Link {
 public:
  HttpLink(Ticket ticket, http::Client client)
      : ticket_(std::move(ticket)), base_("/api/v1/attempts/" + ticket_.attempt.text), client_(std::move(client)) {}

  Result<AttemptPlan> plan() override { return parse_attempt_plan(TRY(call(http::Method::get, base_, ""))); }

  Result<HeartbeatAnswer> heartbeat(const Heartbeat& beat) override {
    return parse_heartbeat_answer(TRY(call(http::Method::post, base_ + "/heartbeat", to_json(beat).render())));
  }

  Result<std::uint64_t> append_log(std::uint64_t offset, std::string_view bytes) override {
    const auto response = TRY(client_.request(http::Method::post, fmt::format("{}/log?offset={}", base_, offset),
                                              std::string(bytes), "application/octet-stream"));
    const Json json = TRY(json_of(response, "send the log"));
    const auto next = json["next_offset"].integer();
    if (!next || *next < 0) return Error{ErrorCode::internal, "the server's answer to a log chunk has no next_offset"};
    return static_cast<std::uint64_t>(*next);
  }

  Result<void> log_metrics(std::span<const MetricPoint> points) override {
    JsonWriter body;
    body.begin_object().key("points").begin_array();
    for (const MetricPoint& point : points) {
      body.begin_object().member("key", point.key).member("value", point.value);
      body.member("step", point.step).member("at_ms", point.at_ms).end_object();
    }
    body.end_array().end_object();
    return done(call(http::Method::post, base_ + "/metrics", body.take()));
  }

  Result<void> record(const Json& documents) override {
    return done(call(http::Method::post, base_ + "/record", documents.render()));
  }

  Result<void> report_output(const OutputReport& output) override {
    return done(call(http::Method::post, base_ + "/outputs", to_json(output).render()));
  }

  Result<void> end(const AttemptResult& result) override {
    return done(call(http::Method::post, base_ + "/end", to_json(result).render()));
  }

  Result<std::vector<Hash>> missing_blobs(std::span<const Hash> hashes) override {
    std::vector<Hash> missing;
    for (size_t from = 0; from < hashes.size(); from += kMissingPerRequestMax) {
      JsonWriter body;
      body.begin_object().key("hashes").begin_array();
      for (const Hash& hash : hashes.subspan(from, std::min(kMissingPerRequestMax, hashes.size() - from)))
        body.value(render(hash));
      body.end_array().end_object();
      const Json json = TRY(call(http::Method::post, "/api/v1/blobs/missing", body.take()));
      for (const Json& hash : json["missing"].array()) missing.push_back(TRY(parse_hash(hash.string())));
    }
    return missing;
  }

  Result<void> put_blobs(std::span<const std::string> contents) override {
    std::string body;
    for (const std::string& content : contents) {
      append_u32(body, static_cast<std::uint32_t>(content.size()));
      body += content;
    }
    const auto response =
        TRY(client_.request(http::Method::post, "/api/v1/blobs/batch", std::move(body), "application/octet-stream"));
    return done(json_of(response, "upload files"));
  }

  Result<void> put_file(const Hash& hash, const std::filesystem::path& path) override {
    const UniqueFd file = TRY(open_file(path, O_RDONLY));
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return system_error("read", path, errno);
    const auto produce = [&]() -> Result<std::string> {
      std::string piece(1 << 20, '\0');
      ssize_t n;
      do {
        n = ::read(file.get(), piece.data(), piece.size());
      } while (n < 0 && errno == EINTR);
      if (n < 0) return system_error("read", path, errno);
      piece.resize(static_cast<size_t>(n));
      return piece;
    };
    const auto response = TRY(client_.upload(http::Method::put, "/api/v1/blobs/" + render(hash),
                                             static_cast<std::uint64_t>(info.st_size), produce));
    if (response.status >= 400) return error_of(response, "upload " + path.string());
    return {};
  }

  Result<void> read_blobs(std::span<const Hash> hashes,
                          const std::function<Result<void>(const Hash&, std::string)>& take) override {
    JsonWriter body;
    body.begin_object().key("hashes").begin_array();
    for (const Hash& hash : hashes) body.value(render(hash));
    body.end_array().end_object();
    const auto response = TRY(client_.request(http::Method::post, "/api/v1/blobs/read", body.take()));
    if (response.status >= 400) return error_of(response, "read files");
    Frames frames;
    size_t next = 0;
    TRY(frames.feed(response.body, [&](std::string bytes) -> Result<void> {
      if (next >= hashes.size()) return Error{ErrorCode::internal, "the server sent more files than were asked for"};
      return take(hashes[next++], std::move(bytes));
    }));
    if (next != hashes.size() || !frames.at_end())
      return Error{ErrorCode::unavailable, "the server's answer was cut short"};
    return {};
  }

  Result<void> read_blob(const Hash& hash, const std::function<Result<void>(std::string_view)>& take) override {
    Result<void> taken;
    const auto response = TRY(client_.download("/api/v1/blobs/" + render(hash), [&](std::string_view bytes) {
      taken = take(bytes);
      return taken.ok();
    }));
    if (!taken.ok()) return taken;
    if (response.status >= 400) return error_of(response, "read a file");
    return {};
  }

 private:
  static Result<Json> json_of(const http::ClientResponse& response, std::string_view what) {
    if (response.status >= 400) return error_of(response, what);
    if (response.body.empty()) return Json(Json::Object{});
    return Json::parse(response.body);
  }
  Result<Json> call(http::Method method, const std::string& target, std::string body) {
    return json_of(TRY(client_.request(method, target, std::move(body))), target);
  }
  static Result<void> done(const Result<Json>& answer) {
    if (!answer.ok()) return answer.error();
    return {};
  }

  const Ticket ticket_;
  const std::string base_;
  http::Client client_;
};

}  // namespace

bool is_transient(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timed_out || error.code == ErrorCode::busy ||
         error.code == ErrorCode::internal;
}

Result<std::unique_ptr<Link>> open_http_link(const Ticket& ticket) {
  http::ClientOptions options;
  options.bearer_token = ticket.token;
  options.read_timeout = std::chrono::seconds(60);
  http::Client client = TRY(http::Client::open(ticket.server, options));
  return std::unique_ptr<Link>(std::make_unique<HttpLink>(ticket, std::move(client)));
}

}  // namespace slipway::runner

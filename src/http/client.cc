#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/text.h"
#include "http/address.h"
#include "http/http.h"
#include "http/wire.h"

namespace slipway::http {

namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr std::uint32_t kHeadBytesMax = 256 << 10;
constexpr Duration kEarlyAnswerTime = std::chrono::seconds(2);

using Consume = std::function<bool(std::string_view)>;
using Produce = std::function<Result<std::string>()>;

bool writes_lines(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

/// May be sent again when it is not known whether the first one arrived.
bool is_idempotent(Method method) { return method != Method::post && method != Method::patch; }

}  // namespace

struct Client::Impl {
  ClientOptions options;
  std::string url;
  Origin address;
  std::optional<Trust> trust;
  std::unique_ptr<Wire> wire;
  beast::flat_buffer buffer{kHeadBytesMax + 2 * kReadBytes};
  bool answer_began = false;
  std::optional<Time> answer_deadline;  // steady

  Error no_answer(const Error& reason) const {
    if (reason.code == ErrorCode::permission_denied) return reason;
    return {reason.code == ErrorCode::timed_out ? ErrorCode::timed_out : ErrorCode::unavailable,
            "no answer from " + url + " (" + reason.message + ")"};
  }

  /// An open connection; true when it is one that was kept. A kept one with something to read was closed by the server.
  Result<bool> reach() {
    answer_began = false;
    if (wire && buffer.size() == 0 && !wire->is_readable()) return true;
    drop();
    auto fresh = Wire::connect(address.host, address.port, options.connect_timeout, trust ? &*trust : nullptr,
                               options.public_addresses_only);
    if (!fresh.ok()) return no_answer(fresh.error());
    wire = std::move(*fresh);
    return false;
  }

  void drop() {
    wire.reset();
    buffer.consume(buffer.size());
  }

  /// Request line and fields. `framing` are the lines that say how the body comes.
  Result<std::string> render_head(Method method, std::string_view target, const Headers& headers,
                                  std::string_view content_type, std::string_view framing) const {
    if (!target.starts_with('/') || writes_lines(target) || target.find(' ') != std::string_view::npos) {
      return Error{ErrorCode::invalid_argument,
                   "'" + clean_utf8(target, 200) +
                       "' is no request target; expected a path that begins with '/', percent-encoded"};
    }
    std::string head(name(method));
    head.append(" ").append(target).append(" HTTP/1.1\r\n");
    const auto put = [&](std::string_view key, std::string_view value) {
      if (!headers.has(key)) head.append(key).append(": ").append(value).append("\r\n");
    };
    put("Host", address.authority);
    put("User-Agent", "slipway");
    put("Accept", "*/*");
    if (!options.bearer_token.empty()) put("Authorization", "Bearer " + options.bearer_token);
    if (!content_type.empty()) put("Content-Type", content_type);
    for (const auto& [key, value] : headers.all()) {
      if (writes_lines(key) || writes_lines(value))
        return Error{ErrorCode::invalid_argument,
                     "the header " + clean_utf8(key, 60) + " has a line break or control character in it"};
      head.append(key).append(": ").append(value).append("\r\n");
    }
    if (writes_lines(options.bearer_token))
      return Error{ErrorCode::invalid_argument, "the token has a line break or control character in it"};
    return head.append(framing).append("\r\n");
  }

  Result<void> fill(Duration timeout) {
    if (answer_deadline) {
      const Duration left = *answer_deadline - system_clock().steady();
      if (left <= Duration(0)) return Error{ErrorCode::timed_out, "its answer did not end in time"};
      timeout = std::min(timeout, left);
    }
    const auto room = buffer.prepare(kReadBytes);
    const size_t n = TRY(wire->read(static_cast<char*>(room.data()), room.size(), timeout));
    if (n == 0) return Error{ErrorCode::unavailable, "the server closed the connection"};
    answer_began = true;
    buffer.commit(n);
    return {};
  }

  using Parser = beast::http::response_parser<beast::http::buffer_body>;

  Result<void> read_head(Parser& parser, Duration timeout) {
    while (true) {
      error_code problem;
      buffer.consume(parser.put(buffer.data(), problem));
      if (!problem && parser.is_header_done()) return {};
      if (problem && problem != beast::http::error::need_more)
        return Error{ErrorCode::unavailable, "what it sent is no HTTP answer: " + problem.message()};
      TRY(fill(timeout));
    }
  }

  Result<void> read_body(Parser& parser, const Consume& consume) {
    std::string piece(kReadBytes, '\0');
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece.data();
      body.size = piece.size();
      body.more = true;
      error_code problem;
      buffer.consume(parser.put(buffer.data(), problem));
      const std::string_view got(piece.data(), piece.size() - body.size);
      if (!got.empty() && !consume(got)) return Error{ErrorCode::cancelled, "stopped by who reads it"};
      // The parser calls an empty buffer no error in the middle of a body, so it would be asked for ever.
      const bool is_stuck = !problem && got.empty() && buffer.size() == 0 && !parser.is_done();
      if (problem == beast::http::error::need_more || is_stuck) {
        auto filled = fill(options.read_timeout);
        if (filled.ok()) continue;
        error_code ending;
        if (parser.need_eof()) parser.put_eof(ending);
        if (!parser.is_done()) return Error{filled.error().code, "the answer was cut off: " + filled.error().message};
      } else if (problem && problem != beast::http::error::need_buffer) {
        return Error{ErrorCode::unavailable, "the body is no valid HTTP: " + problem.message()};
      }
    }
    return {};
  }

  /// The answer, its body through `consume` unless it is an error's.
  Result<ClientResponse> read_answer(Method method, const Consume* consume, Duration timeout) {
    if (options.answer_timeout) answer_deadline = system_clock().steady() + *options.answer_timeout;
    while (true) {
      Parser parser;
      parser.header_limit(kHeadBytesMax);
      parser.body_limit(boost::none);
      parser.skip(method == Method::head);
      TRY(read_head(parser, timeout));
      ClientResponse response;
      response.status = static_cast<int>(parser.get().result_int());
      if (response.status < 200) continue;  // 100 Continue and the like announce the answer
      for (const auto& field : parser.get())
        response.headers.add(std::string(field.name_string()), std::string(field.value()));
      bool is_too_large = false;
      const Consume keep = [&](std::string_view bytes) {
        is_too_large = response.body.size() + bytes.size() > options.answer_bytes_max;
        if (!is_too_large) response.body += bytes;
        return !is_too_large;
      };
      const auto read = read_body(parser, consume && response.status < 400 ? *consume : keep);
      if (is_too_large)
        return Error{ErrorCode::too_large, "the answer is larger than " + render_bytes(options.answer_bytes_max)};
      TRY(read);
      if (!parser.keep_alive()) drop();
      return response;
    }
  }

  /// One request and its answer. `produce` null: `body` is all of it.
  Result<ClientResponse> exchange(Method method, const std::string& head, std::string_view body, const Produce* produce,
                                  bool chunked, const Consume* consume) {
    const bool was_kept = TRY(reach());
    auto answer = send_and_read(method, head, body, produce, chunked, consume);
    if (answer.ok()) return answer;
    drop();
    const ErrorCode code = answer.error().code;
    // The server may close a kept connection in the very moment we use it.
    if (was_kept && !answer_began && code == ErrorCode::unavailable && !produce && is_idempotent(method)) {
      TRY(reach());
      answer = send_and_read(method, head, body, produce, chunked, consume);
      if (answer.ok()) return answer;
      drop();
    }
    if (code == ErrorCode::unavailable || code == ErrorCode::timed_out) return no_answer(answer.error());
    return answer;
  }

  Result<ClientResponse> send_and_read(Method method, const std::string& head, std::string_view body,
                                       const Produce* produce, bool chunked, const Consume* consume) {
    auto sent = wire->write(body.size() < kReadBytes ? head + std::string(body) : head, options.read_timeout);
    if (sent.ok() && body.size() >= kReadBytes) sent = wire->write(body, options.read_timeout);
    bool is_early = false;
    if (sent.ok() && produce) {
      const auto produced = send_pieces(*produce, chunked, sent);
      if (!produced.ok()) return produced.error();
      is_early = !*produced;
    }
    // Who refuses a body often answers before its end, and closes: the answer says more than the broken connection.
    auto answer = read_answer(method, consume, sent.ok() ? options.read_timeout : kEarlyAnswerTime);
    if (!sent.ok() && !answer.ok()) return sent.error();
    if (!sent.ok() || is_early) drop();
    return answer;
  }

  /// False when the server answered before the end. `sent` tells how the sending went, the result how the producing
  /// did.
  Result<bool> send_pieces(const Produce& produce, bool chunked, Result<void>& sent) {
    while (sent.ok()) {
      if (wire->is_readable()) return false;
      const std::string piece = TRY(produce());
      std::string frame;
      if (chunked) {
        char size[24];
        std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
        frame.append(size).append(piece).append("\r\n");
      }
      sent = wire->write(chunked ? frame : piece, options.read_timeout);
      if (piece.empty()) return true;
    }
    return true;
  }
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::open(std::string_view url, ClientOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->url = url;
  impl->address = TRY(parse_origin(url));
  impl->options = std::move(options);
  if (impl->address.tls) impl->trust = TRY(Trust::open(impl->options.ca_file));
  return Client(std::move(impl));
}

Result<ClientResponse> Client::request(Method method, std::string_view target, std::string_view body,
                                       std::string_view content_type, const Headers& headers) {
  const bool has_body = !body.empty() || (method != Method::get && method != Method::head);
  const std::string framing = has_body ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "";
  const std::string head = TRY(impl_->render_head(method, target, headers, has_body ? content_type : "", framing));
  return impl_->exchange(method, head, body, nullptr, false, nullptr);
}

Result<ClientResponse> Client::upload(Method method, std::string_view target, std::optional<std::uint64_t> length,
                                      const Produce& produce, const Headers& headers) {
  const std::string framing =
      length ? "Content-Length: " + std::to_string(*length) + "\r\n" : "Transfer-Encoding: chunked\r\n";
  const std::string head = TRY(impl_->render_head(method, target, headers, "application/octet-stream", framing));
  std::uint64_t given = 0;
  const Produce counted = [&]() -> Result<std::string> {
    std::string piece = TRY(produce());
    given += piece.size();
    const bool is_wrong = length && (given > *length || (piece.empty() && given < *length));
    if (is_wrong)
      return Error{ErrorCode::invalid_argument, "the body has " + std::to_string(given) + " bytes where " +
                                                    std::to_string(*length) + " were announced"};
    return piece;
  };
  return impl_->exchange(method, head, "", &counted, !length, nullptr);
}

Result<ClientResponse> Client::download(std::string_view target, const Consume& consume, const Headers& headers) {
  const std::string head = TRY(impl_->render_head(Method::get, target, headers, "", ""));
  return impl_->exchange(Method::get, head, "", nullptr, false, &consume);
}

}  // namespace slipway::http

#include "http/connection.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <ctime>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "http/encoding.h"
#include "http/exchange.h"
#include "http/peer.h"
#include "http/url.h"

namespace slipway::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr size_t kReadBufferBytesMax = 256 << 10;
constexpr size_t kBodyPieceBytes = 1 << 20;
constexpr size_t kLingerBytesMax = 1 << 20;                  // read and dropped after an early answer, so that it arrives
constexpr Duration kLingerTime = std::chrono::milliseconds(500);
constexpr Duration kWriteTimeout = std::chrono::seconds(60); // without any progress of a write

std::optional<Method> convert(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get: return Method::get;
    case beast::http::verb::head: return Method::head;
    case beast::http::verb::post: return Method::post;
    case beast::http::verb::put: return Method::put;
    case beast::http::verb::patch: return Method::patch;
    case beast::http::verb::delete_: return Method::del;
    case beast::http::verb::options: return Method::options;
    default: return std::nullopt;
  }
}

std::string_view reason(int status) {
  const auto text = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return {text.data(), text.size()};
}

/// The answer to what never reached a handler.
Response refusal(int status, std::string_view code, std::string_view message) {
  std::string body = R"({"error":{"code":")" + std::string(code) + R"(","message":)";
  append_json_string(body, message);
  Response response = Response::json(body + R"(,"details":{}}})", status);
  if (status == 503) response.headers.set("Retry-After", "1");
  return response;
}

/// "Date: …\r\n", made once a second per loop.
const std::string& date_line() {
  thread_local std::time_t made_at = 0;
  thread_local std::string line;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[64];
    std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    line = text;
    made_at = now;
  }
  return line;
}

bool is_compressible_type(std::string_view type) {
  return type.starts_with("text/") || type.starts_with("application/json") || type.starts_with("application/javascript") || type.starts_with("image/svg");
}

std::string hex(size_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%zx\r\n", number);
  return text;
}

// The connection whose handler runs on this thread right now: an answer given at once needs no wake-up.
thread_local const void* handling = nullptr;

template <typename Stream>
class Connection : public Closable, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(std::shared_ptr<Shared> shared, Loop& loop, Stream stream, std::shared_ptr<asio::ssl::context> tls)
      : shared_(std::move(shared)), loop_(loop), tls_(std::move(tls)), stream_(std::move(stream)), awake_(stream_.get_executor()) {
    loop_.connections.insert(this);
    shared_->counters.connections_open.add(1);
  }

  ~Connection() override {
    loop_.connections.erase(this);
    shared_->counters.connections_open.add(-1);
    shared_->open.fetch_sub(1);
  }

  void drain() override {
    if (idle_) abort();
    woken_ = true;
    awake_.cancel();
  }

  void abort() override {
    error_code ignored;
    lowest().socket().shutdown(tcp::socket::shutdown_both, ignored);
    lowest().socket().close(ignored);
    if (exchange_) exchange_->close(false);
    woken_ = true;
    awake_.cancel();
  }

  asio::awaitable<void> run() {
    const auto self = this->shared_from_this();  // lives as long as its coroutine
    identify();
    if (co_await shake_hands()) {
      while (co_await one_request()) {
      }
    }
    if (exchange_) exchange_->close(false);
    co_await linger();
  }

 private:
  using HeadParser = beast::http::request_parser<beast::http::empty_body>;

  auto& lowest() { return beast::get_lowest_layer(stream_); }
  void deadline(Duration d) { lowest().expires_after(d); }
  static auto quietly(error_code& problem) { return asio::redirect_error(asio::use_awaitable, problem); }

  void identify() {
    error_code problem;
    const auto remote = lowest().socket().remote_endpoint(problem);
    if (problem) return;
    const auto local = lowest().socket().local_endpoint(problem);
    if (problem) return;
    lowest().socket().set_option(tcp::no_delay(true), problem);
    peer_.address = remote.address().to_string();
    peer_.port = remote.port();
    peer_.loopback = remote.address().is_loopback();
    peer_.tls = tls_ != nullptr;
    if (peer_.loopback) peer_.uid = owner_of_socket(peer_.address, remote.port(), local.address().to_string(), local.port());
  }

  asio::awaitable<bool> shake_hands() {
    if constexpr (!std::is_same_v<Stream, beast::tcp_stream>) {
      error_code problem;
      deadline(shared_->options.head_timeout);
      co_await stream_.async_handshake(asio::ssl::stream_base::server, quietly(problem));
      co_return !problem;
    }
    co_return true;
  }

  /// Reads, handles and answers one request. False when the connection is to close.
  asio::awaitable<bool> one_request() {
    if (!co_await wait_for_first_byte()) co_return false;
    HeadParser head;
    head.header_limit(static_cast<std::uint32_t>(shared_->options.head_bytes_max));
    head.body_limit(boost::none);
    error_code problem;
    deadline(shared_->options.head_timeout);
    co_await beast::http::async_read_header(stream_, buffer_, head, quietly(problem));
    if (problem) co_return co_await refuse_head(problem);
    idle_ = false;
    shared_->counters.requests_in_flight.add(1);
    const bool goes_on = co_await answer_request(head);
    shared_->counters.requests_in_flight.add(-1);
    co_return goes_on && !shared_->stopping;
  }

  asio::awaitable<bool> wait_for_first_byte() {
    idle_ = true;
    if (shared_->stopping) co_return false;
    if (buffer_.size() > 0) co_return true;
    error_code problem;
    deadline(shared_->options.idle_timeout);
    const size_t n = co_await stream_.async_read_some(buffer_.prepare(16 << 10), quietly(problem));
    buffer_.commit(n);
    co_return !problem;
  }

  asio::awaitable<bool> refuse_head(error_code problem) {
    keep_alive_ = false;
    if (problem == beast::error::timeout) {
      shared_->counters.timed_out.add();
      co_await write_whole(refusal(408, "timed_out", "the head of the request did not arrive in time"), false);
    } else if (problem == beast::http::error::header_limit || problem == beast::http::error::buffer_overflow) {
      co_await write_whole(refusal(431, "too_large", "the head of the request is larger than " + render_bytes(shared_->options.head_bytes_max)), false);
    } else if (problem.category() == beast::http::make_error_code(beast::http::error::end_of_stream).category() &&
               problem != beast::http::error::end_of_stream && problem != beast::http::error::partial_message) {
      co_await write_whole(refusal(400, "invalid_argument", "this is no valid HTTP/1.1 request: " + problem.message()), false);
    }
    co_return false;
  }

  /// Fills `request_` and the route from the head; an answer when that settles it.
  std::optional<Response> begin(const HeadParser& head) {
    const auto& message = head.get();
    request_ = Request();
    request_.received = system_clock().steady();
    request_.peer = peer_;
    request_.target.assign(message.target().data(), message.target().size());
    for (const auto& field : message) request_.headers.add(std::string(field.name_string().data(), field.name_string().size()), std::string(field.value().data(), field.value().size()));
    keep_alive_ = message.keep_alive() && !shared_->stopping;
    is_http_1_0_ = message.version() < 11;
    is_head_ = message.method() == beast::http::verb::head;
    const auto method = convert(message.method());
    if (!method) return refusal(501, "unsupported", "the method " + clean_utf8(std::string_view(message.method_string().data(), message.method_string().size()), 20) + " is not known here");
    request_.method = *method;

    std::string_view target = request_.target;
    if (!target.starts_with('/')) return refusal(400, "invalid_argument", "the request target must begin with '/'");
    const size_t question = std::min(target.find('?'), target.size());
    const std::string_view raw_path = target.substr(0, question);
    request_.path = url_decode(raw_path);
    if (question < target.size()) request_.query = parse_query(target.substr(question + 1));
    for (const auto& gate : shared_->router.gates) {
      if (auto answer = gate(request_)) return answer;
    }
    const Match match = shared_->router.find(*method, raw_path);
    route_ = match.route;
    if (!route_) return no_route(match);
    for (size_t i = 0; i < match.values.size(); ++i) request_.parameters.emplace_back(route_->parameter_names[i], url_decode(match.values[i]));
    return std::nullopt;
  }

  Response no_route(const Match& match) const {
    const int status = match.allowed.empty() ? 404 : 405;
    Response response = shared_->router.fallback ? shared_->router.fallback(request_, status)
                        : status == 404 ? refusal(404, "not_found", "there is nothing at " + clean_utf8(request_.path, 200))
                                        : refusal(405, "unsupported", clean_utf8(request_.path, 200) + " does not answer to " + std::string(name(request_.method)));
    if (status == 405) {
      std::string allowed;
      for (Method method : match.allowed) allowed += (allowed.empty() ? "" : ", ") + std::string(name(method));
      response.headers.set("Allow", allowed);
    }
    return response;
  }

  asio::awaitable<bool> answer_request(HeadParser& head) {
    const bool has_body = !head.is_done() && (head.chunked() || head.content_length_remaining().value_or(0) > 0);
    auto early = begin(head);
    if (!early && has_body && head.content_length() && *head.content_length() > route_->options.body_bytes_max) early = too_large();
    if (early) {
      if (has_body) keep_alive_ = false;  // its body is not read
      co_return co_await write_whole(std::move(*early), is_head_) && keep_alive_;
    }
    if (has_body && head.get()[beast::http::field::expect] == "100-continue" && !co_await write_text("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
    if (std::holds_alternative<Streaming>(route_->handler)) co_return co_await answer_streaming(head, has_body);
    if (has_body) {
      if (auto problem = co_await read_whole_body(head)) {
        keep_alive_ = false;
        if (problem->status != 0) co_await write_whole(std::move(*problem), is_head_);
        co_return false;
      }
    }
    hand_over();
    co_await sleep_until([&] { return exchange_->answer().has_value(); });
    co_return co_await write_answer();
  }

  Response too_large() const {
    return refusal(413, "too_large", "the body of " + std::string(name(request_.method)) + " " + clean_utf8(request_.path, 200) + " may have at most " + render_bytes(route_->options.body_bytes_max));
  }

  /// Whether a body that has been coming for `elapsed` is slower than the limit.
  bool is_drip(std::uint64_t bytes, Time began) const {
    const Duration elapsed = system_clock().steady() - began;
    if (elapsed < shared_->options.body_grace) return false;
    return static_cast<double>(bytes) < static_cast<double>(elapsed.count()) / 1e6 * static_cast<double>(shared_->options.body_bytes_per_second_min);
  }

  /// Reads the body into request_.body. An answer when that failed; status 0 when nobody is there to read it.
  asio::awaitable<std::optional<Response>> read_whole_body(HeadParser& head) {
    beast::http::request_parser<beast::http::string_body> parser(std::move(head));
    parser.body_limit(route_->options.body_bytes_max);
    const Time began = system_clock().steady();
    std::uint64_t bytes = 0;
    while (!parser.is_done()) {
      error_code problem;
      deadline(shared_->options.body_grace);
      bytes += co_await beast::http::async_read_some(stream_, buffer_, parser, quietly(problem));
      if (problem == beast::http::error::body_limit) co_return too_large();
      if (problem == beast::error::timeout || (!problem && is_drip(bytes, began))) {
        shared_->counters.timed_out.add();
        co_return refusal(408, "timed_out", "the body arrives too slowly");
      }
      if (problem == beast::http::error::bad_chunk || problem == beast::http::error::bad_chunk_extension) co_return refusal(400, "invalid_argument", "the chunks of the body are malformed");
      if (problem) co_return Response{0, {}, "", false};
    }
    shared_->counters.bytes_in.add(bytes);
    request_.body = std::move(parser.get().body());
    const std::string_view encoding = request_.headers.get("Content-Encoding");
    if (encoding.empty()) co_return std::nullopt;
    auto decoded = decode_body(encoding, std::move(request_.body), route_->options.body_bytes_max);
    if (!decoded.ok()) {
      const ErrorCode code = decoded.error().code;
      co_return refusal(code == ErrorCode::too_large ? 413 : code == ErrorCode::unsupported ? 415 : 400, slipway::name(code), decoded.error().message);
    }
    request_.body = std::move(*decoded);
    co_return std::nullopt;
  }

  void make_exchange() {
    if (exchange_) exchange_->close(true);
    woken_ = false;
    exchange_ = std::make_shared<Exchange>(
        [weak = this->weak_from_this(), executor = stream_.get_executor()] {
          if (handling != nullptr) {
            const auto self = weak.lock();
            if (self.get() == handling) {
              self->woken_ = true;
              return;
            }
          }
          asio::post(executor, [weak] {
            if (const auto self = weak.lock()) {
              self->woken_ = true;
              self->awake_.cancel();
            }
          });
        },
        shared_->options.stream_queue_bytes_max, shared_->counters.answered_twice);
  }

  /// Runs the handler here or on the pool.
  void hand_over() {
    make_exchange();
    Responder responder(std::make_shared<Responder::Impl>(exchange_));
    const auto& handler = std::get<Handler>(route_->handler);
    if (route_->options.where == Where::on_loop) {
      handling = this;
      call([&] { handler(request_, std::move(responder)); });
      handling = nullptr;
      return;
    }
    submit([this, self = this->shared_from_this(), &handler, responder] { call([&] { handler(request_, responder); }); });
  }

  void submit(std::function<void()> task) {
    if (shared_->pool.submit(std::move(task))) return;
    exchange_->send(refusal(503, "busy", "the server has too much to do at once; try again in a moment"));
  }

  /// A handler's exception is our bug, and this request's end only.
  template <typename Body>
  void call(Body body) const {
    try {
      body();
    } catch (const std::exception& problem) {
      log_error("http", "a handler threw", {{"path", request_.path}, {"error", problem.what()}});
    }
  }

  template <typename Ready>
  asio::awaitable<void> sleep_until(Ready ready) {
    while (true) {
      woken_ = false;
      exchange_->look();
      if (ready() || !lowest().socket().is_open()) co_return;
      if (woken_) continue;
      error_code ignored;
      awake_.expires_at(asio::steady_timer::time_point::max());
      lowest().expires_never();
      co_await awake_.async_wait(quietly(ignored));
    }
  }

  asio::awaitable<bool> answer_streaming(HeadParser& head, bool has_body) {
    beast::http::request_parser<beast::http::buffer_body> parser(std::move(head));
    parser.body_limit(route_->options.body_bytes_max);
    make_exchange();
    const auto length = !has_body ? std::optional<std::uint64_t>(0) : parser.content_length() ? std::optional<std::uint64_t>(*parser.content_length()) : std::nullopt;
    {
      const auto& handler = std::get<Streaming>(route_->handler).handler;
      Responder responder(std::make_shared<Responder::Impl>(exchange_));
      submit([this, self = this->shared_from_this(), &handler, responder, length] {
        ExchangeBody body(exchange_, length);
        call([&] { handler(request_, body, responder); });
      });
    }
    const Time began = system_clock().steady();
    std::uint64_t bytes = 0;
    while (true) {
      co_await sleep_until([&] { return exchange_->answer().has_value() || exchange_->wants_body(); });
      if (exchange_->answer() || !lowest().socket().is_open()) break;
      exchange_->deliver(co_await read_piece(parser, bytes, began));
    }
    if (!parser.is_done() && has_body) keep_alive_ = false;  // answered before the body's end
    co_return co_await write_answer();
  }

  asio::awaitable<Result<std::string>> read_piece(beast::http::request_parser<beast::http::buffer_body>& parser, std::uint64_t& bytes, Time began) {
    if (parser.is_done()) co_return std::string();
    std::string piece(kBodyPieceBytes, '\0');
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    while (!parser.is_done() && body.size > 0) {
      error_code problem;
      deadline(shared_->options.body_grace);
      co_await beast::http::async_read_some(stream_, buffer_, parser, quietly(problem));
      const std::uint64_t so_far = bytes + piece.size() - body.size;
      if (problem == beast::http::error::need_buffer) break;
      if (problem == beast::http::error::body_limit) co_return Error{ErrorCode::too_large, "the body may have at most " + render_bytes(route_->options.body_bytes_max)};
      if (problem == beast::error::timeout || (!problem && is_drip(so_far, began))) {
        shared_->counters.timed_out.add();
        co_return Error{ErrorCode::timed_out, "the body arrives too slowly"};
      }
      if (problem) co_return Error{ErrorCode::cancelled, "the body was cut off: " + problem.message()};
    }
    piece.resize(piece.size() - body.size);
    bytes += piece.size();
    shared_->counters.bytes_in.add(piece.size());
    co_return piece;
  }

  asio::awaitable<bool> write_answer() {
    if (!exchange_->answer()) co_return false;
    const bool written = exchange_->is_stream() ? co_await write_stream(*exchange_->answer()) : co_await write_whole(*exchange_->answer(), is_head_);
    exchange_->close(written);
    co_return written && keep_alive_;
  }

  std::string render_head(const Response& response, std::optional<std::uint64_t> length, bool chunked) const {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
    head += reason(response.status);
    head += "\r\n";
    for (const auto& [key, value] : response.headers.all()) {
      // A value with a line break would write headers of its own.
      if (value.find_first_of("\r\n") != std::string::npos || key.find_first_of("\r\n: ") != std::string::npos) continue;
      head += key;
      head += ": ";
      head += value;
      head += "\r\n";
    }
    if (length && response.status != 204 && response.status != 304) head += "Content-Length: " + std::to_string(*length) + "\r\n";
    if (chunked) head += "Transfer-Encoding: chunked\r\n";
    head += date_line();
    if (!keep_alive_) head += "Connection: close\r\n";
    if (keep_alive_ && is_http_1_0_) head += "Connection: keep-alive\r\n";
    head += "\r\n";
    return head;
  }

  void account(int status) {
    shared_->counters.requests(status).add();
    if (request_.received.micros != 0) shared_->counters.latency.record(system_clock().steady() - request_.received);
  }

  asio::awaitable<bool> write_whole(Response response, bool head_only) {
    if (response.compressible && response.body.size() >= kCompressBytesMin && !response.headers.has("Content-Encoding") && is_compressible_type(response.headers.get("Content-Type"))) {
      response.headers.add("Vary", "Accept-Encoding");
      const Encoding encoding = choose_encoding(request_.headers.get("Accept-Encoding"));
      if (encoding != Encoding::identity) {
        response.body = encode_body(encoding, response.body);
        response.headers.add("Content-Encoding", std::string(name(encoding)));
      }
    }
    account(response.status);
    const std::string head = render_head(response, response.body.size(), false);
    const size_t body_bytes = head_only ? 0 : response.body.size();
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head), asio::buffer(response.body.data(), body_bytes)};
    error_code problem;
    deadline(kWriteTimeout + std::chrono::microseconds(body_bytes / 10));
    co_await asio::async_write(stream_, buffers, quietly(problem));
    shared_->counters.bytes_out.add(head.size() + body_bytes);
    co_return !problem;
  }

  asio::awaitable<bool> write_text(std::string_view text) {
    error_code problem;
    deadline(kWriteTimeout);
    co_await asio::async_write(stream_, asio::buffer(text.data(), text.size()), quietly(problem));
    co_return !problem;
  }

  asio::awaitable<bool> write_stream(const Response& response) {
    const auto length = exchange_->stream_length();
    const bool chunked = !length && !is_http_1_0_;
    if (!length && is_http_1_0_) keep_alive_ = false;
    account(response.status);
    if (!co_await write_text(render_head(response, length, chunked))) co_return false;
    if (is_head_) co_return true;
    asio::cancellation_signal stop_watching;
    watch_for_close(stop_watching);
    const bool written = co_await write_pieces(length, chunked);
    stop_watching.emit(asio::cancellation_type::all);
    co_return written;
  }

  asio::awaitable<bool> write_pieces(std::optional<std::uint64_t> length, bool chunked) {
    std::uint64_t left = length.value_or(0);
    while (true) {
      woken_ = false;
      const Exchange::Pieces pieces = exchange_->take_pieces();
      std::string sizes;
      std::vector<std::string> frames;
      std::vector<asio::const_buffer> buffers;
      frames.reserve(pieces.bytes.size());
      for (const std::string& piece : pieces.bytes) {
        if (length && piece.size() > left) co_return false;  // more than was promised: the connection cannot go on
        if (length) left -= piece.size();
        if (chunked) {
          frames.push_back(hex(piece.size()));
          buffers.push_back(asio::buffer(frames.back()));
        }
        buffers.push_back(asio::buffer(piece));
        if (chunked) buffers.push_back(asio::buffer("\r\n", 2));
        shared_->counters.bytes_out.add(piece.size());
      }
      const bool last = pieces.ended || (shared_->stopping && !length && pieces.bytes.empty());
      if (last && chunked) buffers.push_back(asio::buffer("0\r\n\r\n", 5));
      if (!buffers.empty()) {
        error_code problem;
        deadline(kWriteTimeout);
        co_await asio::async_write(stream_, buffers, quietly(problem));
        if (problem) co_return false;
      }
      if (last) co_return left == 0;
      if (!lowest().socket().is_open()) co_return false;
      if (woken_) continue;
      error_code ignored;
      awake_.expires_at(asio::steady_timer::time_point::max());
      lowest().expires_never();
      co_await awake_.async_wait(quietly(ignored));
    }
  }

  /// While an answer streams, nothing is read; this notices that the client closes all the same.
  void watch_for_close(asio::cancellation_signal& stop) {
    lowest().socket().async_wait(tcp::socket::wait_read, asio::bind_cancellation_slot(stop.slot(), [weak = this->weak_from_this()](error_code problem) {
      const auto self = weak.lock();
      if (!self || problem) return;
      char byte;
      const ssize_t n = ::recv(self->lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) self->abort();
    }));
  }

  /// Lets the last answer arrive: says "no more", then reads and drops what the client still sends, for a short while.
  asio::awaitable<void> linger() {
    error_code ignored;
    if (!lowest().socket().is_open()) co_return;
    lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
    deadline(kLingerTime);
    char scratch[4096];
    for (size_t dropped = 0; dropped < kLingerBytesMax;) {
      error_code problem;
      const size_t n = co_await lowest().async_read_some(asio::buffer(scratch), quietly(problem));
      if (problem) break;
      dropped += n;
    }
    lowest().socket().close(ignored);
  }

  const std::shared_ptr<Shared> shared_;
  Loop& loop_;
  const std::shared_ptr<asio::ssl::context> tls_;  // keeps the certificate this connection was opened with
  Stream stream_;
  asio::steady_timer awake_;
  beast::flat_buffer buffer_{kReadBufferBytesMax};
  Peer peer_;
  bool woken_ = false;
  bool idle_ = true;

  // Of the request in hand.
  Request request_;
  const Route* route_ = nullptr;
  std::shared_ptr<Exchange> exchange_;
  bool keep_alive_ = true;
  bool is_head_ = false;
  bool is_http_1_0_ = false;
};

/// A handler on the pool may be the last to hold a connection; it still dies on its own event loop.
template <typename Stream, typename... Args>
void start(Loop& loop, Args&&... args) {
  asio::io_context& context = loop.context;
  const std::shared_ptr<Connection<Stream>> connection(new Connection<Stream>(std::forward<Args>(args)...), [&context](Connection<Stream>* ended) {
    asio::post(context, [ended] { delete ended; });
  });
  asio::co_spawn(context, [connection]() -> asio::awaitable<void> { return connection->run(); },
                 [](const std::exception_ptr& problem) {
                   if (!problem) return;
                   try {
                     std::rethrow_exception(problem);
                   } catch (const std::exception& thrown) {
                     log_error("http", "a connection ended badly", {{"error", thrown.what()}});
                   }
                 });
}

}  // namespace

void serve(std::shared_ptr<Shared> shared, Loop& loop, tcp::socket socket) {
  start<beast::tcp_stream>(loop, std::move(shared), loop, beast::tcp_stream(std::move(socket)), nullptr);
}

}  // namespace slipway::http

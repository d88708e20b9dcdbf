// The connection itself, for a plain and for an encrypted stream; each is compiled in a .cc file of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/log.h"
#include "base/text.h"
#include "http/answer.h"
#include "http/connection.h"
#include "http/encoding.h"
#include "http/exchange.h"
#include "http/head.h"
#include "http/pace.h"
#include "http/peer.h"
#include "http/websocket.h"

namespace slipway::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

inline constexpr size_t kReadBufferBytesMax = 256 << 10;
inline constexpr size_t kReadBytes = 16 << 10;                       // asked of the socket at once, for heads
inline constexpr size_t kBodyPieceBytes = 1 << 20;
inline constexpr size_t kPiecesPerWriteMax = 32;                     // so that sizes, bytes and ends fit one gathered write
inline constexpr Duration kWriteTimeout = std::chrono::seconds(60);  // without any progress of a write
inline constexpr Duration kLingerTime = std::chrono::seconds(5);     // for what a client still sends after the last answer
inline constexpr Duration kLingerGap = std::chrono::seconds(1);      // without any of it
inline constexpr size_t kLingerBytesMax = 256 << 20;
inline constexpr Time kNever = {INT64_MAX};

// The connection whose handler runs on this thread right now: an answer given at once needs no wake-up.
inline thread_local const void* handling = nullptr;

template <typename Stream>
class Connection : public Closable, public Sleeper, public std::enable_shared_from_this<Connection<Stream>> {
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

  void tick(Time now) override {
    if (now < deadline_) return;
    deadline_ = kNever;
    timed_out_ = true;
    error_code ignored;
    socket().cancel(ignored);
  }

  void drain() override {
    if (upgraded_) return upgraded_->drain();
    if (idle_) return abort();
    rouse();
  }

  void abort() override {
    if (upgraded_) return upgraded_->abort();
    error_code ignored;
    socket().shutdown(tcp::socket::shutdown_both, ignored);
    socket().close(ignored);
    if (exchange_) exchange_->close(false);
    rouse();
  }

  /// From any thread.
  void wake() override {
    if (handling == this) {
      woken_ = true;
      return;
    }
    asio::post(stream_.get_executor(), [weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) self->rouse();
    });
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
  static constexpr bool kIsPlain = std::is_same_v<Stream, tcp::socket>;

  tcp::socket& socket() { return beast::get_lowest_layer(stream_); }
  static auto quietly(error_code& problem) { return asio::redirect_error(asio::use_awaitable, problem); }

  void deadline(Duration d) {
    deadline_ = system_clock().steady() + d;
    timed_out_ = false;
  }

  void rouse() {
    woken_ = true;
    awake_.cancel();
  }

  void identify() {
    error_code problem;
    auto remote = socket().remote_endpoint(problem).address();
    if (problem) return;
    const int remote_port = socket().remote_endpoint(problem).port();
    if (problem) return;
    const auto local = socket().local_endpoint(problem);
    if (problem) return;
    socket().set_option(tcp::no_delay(true), problem);
    socket().non_blocking(true, problem);
    const auto unmap = [](const asio::ip::address& address) {
      return address.is_v6() && address.to_v6().is_v4_mapped() ? asio::ip::address(asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6())) : address;
    };
    remote = unmap(remote);
    peer_.address = remote.to_string();
    peer_.port = remote_port;
    peer_.loopback = remote.is_loopback();
    peer_.tls = tls_ != nullptr;
    if (peer_.loopback) peer_.uid = owner_of_socket(peer_.address, static_cast<std::uint16_t>(remote_port), unmap(local.address()).to_string(), local.port());
  }

  asio::awaitable<bool> shake_hands() {
    if constexpr (!kIsPlain) {
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
    deadline(shared_->options.head_timeout);
    if (const error_code problem = co_await read_head(head)) co_return co_await refuse_head(problem);
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
    const size_t n = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), quietly(problem));
    buffer_.commit(n);
    co_return !problem;
  }

  asio::awaitable<error_code> read_head(HeadParser& head) {
    while (true) {
      error_code problem;
      buffer_.consume(head.put(buffer_.data(), problem));
      if (problem != beast::http::error::need_more) co_return problem;
      if (buffer_.size() + kReadBytes > buffer_.max_size()) co_return beast::http::error::buffer_overflow;
      const size_t n = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), quietly(problem));
      if (problem) co_return problem;
      buffer_.commit(n);
    }
  }

  asio::awaitable<bool> refuse_head(error_code problem) {
    keep_alive_ = false;
    if (timed_out_ && problem == asio::error::operation_aborted) {
      shared_->counters.timed_out.add();
      co_await write_whole(refusal(408, "timed_out", "the head of the request did not arrive in time"), false);
    } else if (auto answer = answer_to_bad_head(problem, shared_->options.head_bytes_max)) {
      co_await write_whole(*answer, false);
    }
    co_return false;
  }

  /// Fills the request and finds its route from the head; an answer when that settles it.
  std::optional<Response> begin(const HeadParser& head) {
    make_exchange();
    Request& request = exchange_->request;
    received_ = system_clock().steady();
    keep_alive_ = head.get().keep_alive() && !shared_->stopping;
    is_http_1_0_ = head.get().version() < 11;
    is_head_ = head.get().method() == beast::http::verb::head;
    if (auto answer = fill_request(head, request)) return answer;
    request.peer = peer_;
    request.received = received_;
    exchange_->accepted = choose_encoding(request.headers.get("Accept-Encoding"));
    return find_route(shared_->router, request, route_);
  }

  asio::awaitable<bool> answer_request(HeadParser& head) {
    const bool has_body = head.chunked() || head.content_length().value_or(0) > 0;
    auto early = begin(head);
    if (!early && head.content_length().value_or(0) > route_->options.body_bytes_max) early = body_too_large(exchange_->request, *route_);
    if (early) {
      if (has_body) keep_alive_ = false;  // its body is not read
      co_return co_await write_whole(*early, is_head_) && keep_alive_;
    }
    if (std::holds_alternative<Upgrade>(route_->handler)) co_return co_await upgrade(head);
    const bool waits = has_body && !is_http_1_0_ && equals_ignore_case(exchange_->request.headers.get("Expect"), "100-continue");
    if (waits && !co_await write(asio::const_buffer("HTTP/1.1 100 Continue\r\n\r\n", 25))) co_return false;
    if (std::holds_alternative<Streaming>(route_->handler)) co_return co_await answer_streaming(head, has_body);
    if (has_body) {
      if (auto problem = co_await read_whole_body(head)) {
        keep_alive_ = false;
        if (problem->status != 0) co_await write_whole(*problem, is_head_);
        co_return false;
      }
    }
    hand_over();
    co_await sleep_until([&] { return exchange_->answer().has_value(); });
    co_return co_await write_answer();
  }

  asio::awaitable<bool> upgrade(HeadParser& head) {
    if (!is_websocket_upgrade(head.get()) || buffer_.size() > 0) {
      Response response = refusal(426, "invalid_argument", "this path speaks WebSocket (RFC 6455, version 13); ask for an upgrade");
      response.headers.set("Upgrade", "websocket").set("Sec-WebSocket-Version", "13");
      keep_alive_ = keep_alive_ && head.is_done();
      co_return co_await write_whole(response, is_head_) && keep_alive_;
    }
    account(101);
    deadline_ = kNever;
    co_await serve_websocket(std::move(stream_), head.release(), std::get<Upgrade>(route_->handler).handler, exchange_->request, upgraded_);
    co_return false;
  }

  /// Reads the body into the request. An answer when that failed; status 0 when nobody is there to read it.
  asio::awaitable<std::optional<Response>> read_whole_body(HeadParser& head) {
    beast::http::request_parser<beast::http::string_body> parser(std::move(head));
    parser.body_limit(route_->options.body_bytes_max);
    Pace pace(shared_->options.body_bytes_per_second_min, shared_->options.body_grace);
    while (!parser.is_done()) {
      error_code problem;
      const Time began = system_clock().steady();
      deadline(shared_->options.body_grace);
      const size_t n = co_await beast::http::async_read_some(stream_, buffer_, parser, quietly(problem));
      pace.add(n, system_clock().steady() - began);
      if (problem == beast::http::error::body_limit) co_return body_too_large(exchange_->request, *route_);
      if ((problem && timed_out_) || (!problem && pace.is_too_slow())) {
        shared_->counters.timed_out.add();
        co_return refusal(408, "timed_out", "the body arrives too slowly");
      }
      if (auto answer = answer_to_bad_head(problem, shared_->options.head_bytes_max)) co_return answer;
      if (problem) co_return Response{0, {}, "", false};
    }
    shared_->counters.bytes_in.add(pace.bytes());
    exchange_->request.body = std::move(parser.get().body());
    co_return std::nullopt;
  }

  void make_exchange() {
    if (exchange_) exchange_->close(true);
    woken_ = false;
    exchange_ = std::make_shared<Exchange>(this->weak_from_this(), shared_->options.stream_queue_bytes_max, shared_->counters.answered_twice);
  }

  /// Runs the handler here or on the pool; a compressed body is opened on the handler's thread.
  void hand_over() {
    const Responder responder(std::make_shared<Responder::Impl>(exchange_));
    const auto run_handler = [exchange = exchange_, route = route_, responder] {
      if (!open_body(exchange->request, *route, responder)) return;
      call_handler(*exchange, [&] { std::get<Handler>(route->handler)(exchange->request, responder); });
    };
    if (route_->options.where == Where::on_pool) return submit(run_handler);
    handling = this;
    run_handler();
    handling = nullptr;
  }

  /// A task on the pool keeps its connection, and with it the server, alive.
  template <typename Task>
  void submit(Task task) {
    if (shared_->pool.submit([self = this->shared_from_this(), task = std::move(task)] { task(); })) return;
    exchange_->send(refusal(503, "busy", "the server has too much to do at once; try again in a moment"));
  }

  template <typename Ready>
  asio::awaitable<void> sleep_until(Ready ready) {
    while (true) {
      woken_ = false;
      exchange_->look();
      if (ready() || !socket().is_open()) co_return;
      co_await sleep();
    }
  }

  /// Until somebody wakes us; at once when somebody did.
  asio::awaitable<void> sleep() {
    if (woken_) co_return;
    error_code ignored;
    deadline_ = kNever;
    awake_.expires_at(asio::steady_timer::time_point::max());
    co_await awake_.async_wait(quietly(ignored));
  }

  asio::awaitable<bool> answer_streaming(HeadParser& head, bool has_body) {
    using Parser = beast::http::request_parser<beast::http::buffer_body>;
    Parser parser(std::move(head));
    parser.body_limit(route_->options.body_bytes_max);
    const auto length = !has_body ? std::optional<std::uint64_t>(0) : parser.content_length() ? std::optional<std::uint64_t>(*parser.content_length()) : std::nullopt;
    {
      const Responder responder(std::make_shared<Responder::Impl>(exchange_));
      submit([exchange = exchange_, route = route_, responder, length] {
        ExchangeBody body(exchange, length);
        call_handler(*exchange, [&] { std::get<Streaming>(route->handler).handler(exchange->request, body, responder); });
      });
    }
    Pace pace(shared_->options.body_bytes_per_second_min, shared_->options.body_grace);
    while (true) {
      co_await sleep_until([&] { return exchange_->answer().has_value() || exchange_->wants_body(); });
      if (exchange_->answer() || !socket().is_open()) break;
      exchange_->deliver(has_body ? co_await read_piece(parser, pace) : Result<std::string>(std::string()));
    }
    if (!parser.is_done() && has_body) keep_alive_ = false;  // answered before the body's end
    co_return co_await write_answer();
  }

  /// What is there of the body, at least a byte of it; empty at its end.
  template <typename Parser>
  asio::awaitable<Result<std::string>> read_piece(Parser& parser, Pace& pace) {
    if (parser.is_done()) co_return std::string();
    std::string piece(std::min<std::uint64_t>(kBodyPieceBytes, parser.content_length_remaining().value_or(kBodyPieceBytes)), '\0');
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    while (!parser.is_done() && body.size > 0 && (body.size == piece.size() || more_is_here())) {
      error_code problem;
      const size_t left = body.size;
      const Time began = system_clock().steady();
      deadline(shared_->options.body_grace);
      co_await beast::http::async_read_some(stream_, buffer_, parser, quietly(problem));
      pace.add(left - body.size, system_clock().steady() - began);
      if (problem == beast::http::error::need_buffer) break;
      if (problem == beast::http::error::body_limit) co_return Error{ErrorCode::too_large, "the body may have at most " + render_bytes(route_->options.body_bytes_max)};
      if ((problem && timed_out_) || (!problem && pace.is_too_slow())) {
        shared_->counters.timed_out.add();
        co_return Error{ErrorCode::timed_out, "the body arrives too slowly"};
      }
      if (answer_to_bad_head(problem, 0)) co_return Error{ErrorCode::invalid_argument, "the chunks of the body are malformed: " + problem.message()};
      if (problem) co_return Error{ErrorCode::cancelled, "the body was cut off: " + problem.message()};
    }
    piece.resize(piece.size() - body.size);
    shared_->counters.bytes_in.add(piece.size());
    co_return piece;
  }

  bool more_is_here() {
    error_code problem;
    return buffer_.size() > 0 || (socket().available(problem) > 0 && !problem);
  }

  asio::awaitable<bool> write_answer() {
    if (!exchange_->answer()) co_return false;
    const bool written = exchange_->is_stream() ? co_await write_stream(*exchange_->answer()) : co_await write_whole(*exchange_->answer(), is_head_);
    exchange_->close(written);
    co_return written && keep_alive_;
  }

  void account(int status) {
    shared_->counters.requests(status).add();
    if (received_.micros != 0) shared_->counters.latency.record(system_clock().steady() - received_);
    received_ = {};
  }

  asio::awaitable<bool> write_whole(const Response& response, bool head_only) {
    account(response.status);
    const std::string head = render_head(response, {response.body.size(), false, keep_alive_, is_http_1_0_});
    const size_t body_bytes = head_only || !may_have_body(response.status) ? 0 : response.body.size();
    co_return co_await write(std::array<asio::const_buffer, 2>{asio::buffer(head), asio::buffer(response.body.data(), body_bytes)});
  }

  /// Writes all of it. A client may be slow; one that takes nothing for kWriteTimeout is gone.
  template <typename Buffers>
  asio::awaitable<bool> write(Buffers buffers) {
    beast::buffers_suffix<Buffers> left(buffers);
    while (beast::buffer_bytes(left) > 0) {
      error_code problem;
      size_t n = 0;
      // Mostly the kernel takes it at once, which saves a turn of the event loop.
      if constexpr (kIsPlain) n = stream_.write_some(left, problem);
      if (!kIsPlain || problem == asio::error::would_block || problem == asio::error::try_again) {
        deadline(kWriteTimeout);
        n = co_await stream_.async_write_some(left, quietly(problem));
      }
      if (problem) co_return false;
      left.consume(n);
      shared_->counters.bytes_out.add(n);
    }
    co_return true;
  }

  asio::awaitable<bool> write_stream(const Response& response) {
    const auto length = exchange_->stream_length();
    const bool chunked = !length && !is_http_1_0_;
    if (!length && is_http_1_0_) keep_alive_ = false;
    account(response.status);
    const std::string head = render_head(response, {length, chunked && may_have_body(response.status), keep_alive_, is_http_1_0_});
    if (!co_await write(asio::const_buffer(head.data(), head.size()))) co_return false;
    if (is_head_ || !may_have_body(response.status)) co_return true;
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
      for (size_t first = 0; first < pieces.bytes.size(); first += kPiecesPerWriteMax) {
        std::vector<std::string> sizes;
        std::vector<asio::const_buffer> buffers;
        sizes.reserve(kPiecesPerWriteMax);  // buffers point into it
        for (size_t i = first; i < std::min(first + kPiecesPerWriteMax, pieces.bytes.size()); ++i) {
          const std::string& piece = pieces.bytes[i];
          if (length && piece.size() > left) co_return false;  // more than was promised: the connection cannot go on
          left -= length ? piece.size() : 0;
          if (chunked) buffers.push_back(asio::buffer(sizes.emplace_back(chunk_head(piece.size()))));
          buffers.push_back(asio::buffer(piece));
          if (chunked) buffers.push_back(asio::const_buffer("\r\n", 2));
        }
        if (!co_await write(buffers)) co_return false;
      }
      if (pieces.aborted) co_return false;
      const bool last = pieces.ended || (shared_->stopping && !length && pieces.bytes.empty());
      if (last && chunked && !co_await write(asio::const_buffer("0\r\n\r\n", 5))) co_return false;
      if (last) co_return left == 0;
      if (!socket().is_open()) co_return false;
      co_await sleep();
    }
  }

  /// While an answer streams, nothing is read; this notices that the client closes all the same.
  void watch_for_close(asio::cancellation_signal& stop) {
    socket().async_wait(tcp::socket::wait_read, asio::bind_cancellation_slot(stop.slot(), [weak = this->weak_from_this()](error_code problem) {
      const auto self = weak.lock();
      if (!self || problem) return;
      char byte;
      const ssize_t n = ::recv(self->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) self->abort();
    }));
  }

  /// Lets the last answer arrive: says "no more", then reads and drops what the client still sends, for a short while.
  /// Closing at once would make the kernel throw away what the client has not read yet.
  asio::awaitable<void> linger() {
    error_code ignored;
    if (!socket().is_open()) co_return;
    if constexpr (!kIsPlain) {
      deadline(kLingerGap);
      co_await stream_.async_shutdown(quietly(ignored));
    }
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    const Time end = system_clock().steady() + kLingerTime;
    std::vector<char> scratch(64 << 10);
    for (size_t dropped = 0; dropped < kLingerBytesMax && !shared_->stopping && system_clock().steady() < end;) {
      error_code problem;
      deadline(kLingerGap);
      dropped += co_await socket().async_read_some(asio::buffer(scratch), quietly(problem));
      if (problem) break;
    }
    socket().close(ignored);
  }

  const std::shared_ptr<Shared> shared_;
  Loop& loop_;
  const std::shared_ptr<asio::ssl::context> tls_;  // keeps the certificate this connection was opened with
  Stream stream_;
  asio::steady_timer awake_;
  beast::flat_buffer buffer_{kReadBufferBytesMax};
  Peer peer_;
  Closable* upgraded_ = nullptr;  // the WebSocket that this connection became
  Time deadline_ = kNever;
  bool timed_out_ = false;
  bool woken_ = false;
  bool idle_ = true;

  // Of the request in hand.
  const Route* route_ = nullptr;
  std::shared_ptr<Exchange> exchange_;
  Time received_;
  bool keep_alive_ = true;
  bool is_head_ = false;
  bool is_http_1_0_ = false;
};

/// A handler on the pool may be the last to hold a connection; it still dies on its own event loop, which must outlive that
/// very post.
template <typename Stream>
void start_connection(std::shared_ptr<Shared> shared, const std::shared_ptr<Loop>& loop, Stream stream, std::shared_ptr<asio::ssl::context> tls) {
  const std::shared_ptr<Connection<Stream>> connection(new Connection<Stream>(std::move(shared), *loop, std::move(stream), std::move(tls)),
                                                       [loop](Connection<Stream>* ended) { asio::post(loop->context, [ended] { delete ended; }); });
  asio::co_spawn(loop->context, [connection]() -> asio::awaitable<void> { return connection->run(); },
                 [](const std::exception_ptr& problem) {
                   if (!problem) return;
                   try {
                     std::rethrow_exception(problem);
                   } catch (const std::exception& thrown) {
                     log_error("http", "a connection ended badly", {{"error", thrown.what()}});
                   }
                 });
}

}  // namespace slipway::http

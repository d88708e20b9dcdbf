// The connection itself, for a plain and for an encrypted stream; each is compiled in a .cc file of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/log.h"
#include "base/text.h"
#include "http/answer.h"
#include "http/buffered_body.h"
#include "http/connection.h"
#include "http/encoding.h"
#include "http/exchange.h"
#include "http/file_body.h"
#include "http/head.h"
#include "http/pace.h"
#include "http/peer.h"
#include "http/request_body.h"
#include "http/timed_stream.h"
#include "http/websocket.h"

namespace slipway::http {

// The connection whose handler runs on this thread right now: an answer given at once needs no wake-up.
inline thread_local const void* handling = nullptr;

template <typename Stream>
class Connection : public Closable,
                   public Sleeper,
                   public Rousable,
                   public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(std::shared_ptr<Shared> shared, std::shared_ptr<Loop> loop, Stream stream,
             std::shared_ptr<asio::ssl::context> tls)
      : shared_(std::move(shared)),
        loop_(std::move(loop)),
        tls_(std::move(tls)),
        stream_(std::move(stream), shared_->counters.bytes_out),
        awake_(stream_.get_executor()) {
    loop_->connections.insert(this);
    shared_->counters.connections_open.add(1);
  }

  ~Connection() override {
    loop_->connections.erase(this);
    shared_->counters.connections_open.add(-1);
    shared_->open.fetch_sub(1);
  }

  void tick(Time now) override {
    stream_.tick(now);
    // While an answer streams nothing may be read or written for long; a client that closes is noticed all the same.
    if (is_watching_ && stream_.has_hung_up()) abort();
  }

  void drain() override {
    if (upgraded_) return upgraded_->drain();
    if (idle_) return abort();
    rouse();
  }

  void abort() override {
    if (upgraded_) return upgraded_->abort();
    stream_.close();
    if (exchange_) exchange_->close(false);
    rouse();
  }

  /// From any thread.
  void wake() override {
    if (handling == this) {
      woken_ = true;
      return;
    }
    http::wake(loop_, this->weak_from_this());
  }

  void rouse() override {
    woken_ = true;
    awake_.cancel();
  }

  asio::awaitable<void> run() {
    const auto self = this->shared_from_this();  // lives as long as its coroutine
    identify();
    if (co_await stream_.shake_hands(shared_->options.head_timeout)) {
      while (co_await one_request()) {
      }
    }
    if (exchange_) exchange_->close(false);
    co_await stream_.linger(shared_->stopping);
  }

 private:
  tcp::socket& socket() { return stream_.socket(); }

  void identify() {
    error_code problem;
    const tcp::endpoint remote = socket().remote_endpoint(problem);
    if (problem) return;
    const tcp::endpoint local = socket().local_endpoint(problem);
    if (problem) return;
    socket().set_option(tcp::no_delay(true), problem);
    socket().non_blocking(true, problem);
    peer_ = peer_of(remote, local, tls_ != nullptr);
  }

  /// Reads, handles and answers one request. False when the connection is to close.
  asio::awaitable<bool> one_request() {
    if (!co_await wait_for_first_byte()) co_return false;
    HeadParser head;
    head.header_limit(static_cast<std::uint32_t>(shared_->options.head_bytes_max));
    head.body_limit(boost::none);
    stream_.limit(shared_->options.head_timeout);
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
    stream_.limit(shared_->options.idle_timeout);
    const size_t n = co_await stream_.next().async_read_some(buffer_.prepare(kReadBytes), quietly(problem));
    buffer_.commit(n);
    co_return !problem;
  }

  asio::awaitable<error_code> read_head(HeadParser& head) {
    while (true) {
      error_code problem;
      buffer_.consume(head.put(buffer_.data(), problem));
      if (problem != beast::http::error::need_more) co_return problem;
      if (buffer_.size() + kReadBytes > buffer_.max_size()) co_return beast::http::error::buffer_overflow;
      const size_t n = co_await stream_.next().async_read_some(buffer_.prepare(kReadBytes), quietly(problem));
      if (problem) co_return problem;
      buffer_.commit(n);
    }
  }

  asio::awaitable<bool> refuse_head(error_code problem) {
    keep_alive_ = false;
    if (stream_.timed_out() && problem == asio::error::operation_aborted) {
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
    if (auto answer = fill_request(head, request)) {
      keep_alive_ = false;  // where its body ends is doubtful
      return answer;
    }
    request.peer = peer_;
    request.received = received_;
    exchange_->accepted = choose_encoding(request.headers.get("Accept-Encoding"));
    return find_route(shared_->router, request, route_);
  }

  asio::awaitable<bool> answer_request(HeadParser& head) {
    const bool has_body = head.chunked() || head.content_length().value_or(0) > 0;
    auto early = begin(head);
    if (!early && head.content_length().value_or(0) > route_->options.body_bytes_max)
      early = body_too_large(exchange_->request, *route_);
    if (early) co_return co_await answer_early(head, *early, has_body);
    if (std::holds_alternative<Upgrade>(route_->handler)) co_return co_await upgrade(head);
    const bool waits =
        has_body && !is_http_1_0_ && equals_ignore_case(exchange_->request.headers.get("Expect"), "100-continue");
    if (waits && !co_await stream_.write(asio::const_buffer("HTTP/1.1 100 Continue\r\n\r\n", 25))) co_return false;
    if (std::holds_alternative<Streaming>(route_->handler)) co_return co_await answer_streaming(head);
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

  /// Answers without looking at the body. A short one that comes anyway is read and dropped, so that the connection
  /// goes on.
  asio::awaitable<bool> answer_early(HeadParser& head, const Response& response, bool has_body) {
    const bool is_short = head.content_length().value_or(kDroppedBytesMax + 1) <= kDroppedBytesMax;
    if (has_body && (!is_short || head.get().find(beast::http::field::expect) != head.get().end())) keep_alive_ = false;
    if (!co_await write_whole(response, is_head_) || !keep_alive_) co_return false;
    if (!has_body) co_return true;
    beast::http::request_parser<beast::http::string_body> parser(std::move(head));
    stream_.limit(shared_->options.body_grace);
    error_code problem;
    while (!parser.is_done() && !problem)
      co_await beast::http::async_read_some(stream_.next(), buffer_, parser, quietly(problem));
    co_return !problem;
  }

  asio::awaitable<bool> upgrade(HeadParser& head) {
    if (!is_websocket_upgrade(head.get()) || buffer_.size() > 0) {
      Response response =
          refusal(426, "invalid_argument", "this path speaks WebSocket (RFC 6455, version 13); ask for an upgrade");
      response.headers.set("Upgrade", "websocket").set("Sec-WebSocket-Version", "13");
      keep_alive_ = keep_alive_ && head.is_done();
      co_return co_await write_whole(response, is_head_) && keep_alive_;
    }
    account(101);
    stream_.no_limit();
    co_await serve_websocket(std::move(stream_.next()), head.release(), std::get<Upgrade>(route_->handler).handler,
                             exchange_->request, upgraded_);
    co_return false;
  }

  /// Reads the body into the request. An answer when that failed; status 0 when nobody is there to read it.
  asio::awaitable<std::optional<Response>> read_whole_body(HeadParser& head) {
    beast::http::request_parser<beast::http::string_body> parser(std::move(head));
    parser.body_limit(route_->options.body_bytes_max);
    Pace pace(shared_->options.body_bytes_per_second_min, shared_->options.body_grace);
    while (!parser.is_done()) {
      error_code problem;
      if (!take_buffered(buffer_, parser, pace, problem)) {
        const Time began = system_clock().steady();
        stream_.limit(shared_->options.body_grace);
        const size_t n = co_await beast::http::async_read_some(stream_.next(), buffer_, parser, quietly(problem));
        pace.add(n, system_clock().steady() - began);
      }
      if (problem == beast::http::error::body_limit) co_return body_too_large(exchange_->request, *route_);
      if ((problem && stream_.timed_out()) || (!problem && pace.is_too_slow())) {
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
    exchange_ = std::make_shared<Exchange>(this->weak_from_this(), shared_->options.stream_queue_bytes_max,
                                           shared_->counters.answered_twice);
    exchange_->sends_files = TimedStream<Stream>::kIsPlain;
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
      if (ready() || !stream_.is_open()) co_return;
      co_await sleep();
    }
  }

  /// Until somebody wakes us; at once when somebody did.
  asio::awaitable<void> sleep() {
    if (woken_) co_return;
    error_code ignored;
    stream_.no_limit();
    awake_.expires_at(asio::steady_timer::time_point::max());
    co_await awake_.async_wait(quietly(ignored));
  }

  asio::awaitable<bool> answer_streaming(HeadParser& head) {
    RequestBody<Stream> body(stream_, buffer_, std::move(head), *route_, *shared_);
    {
      const Responder responder(std::make_shared<Responder::Impl>(exchange_));
      submit([exchange = exchange_, route = route_, responder, length = body.length()] {
        ExchangeBody pieces(exchange, length);
        call_handler(*exchange,
                     [&] { std::get<Streaming>(route->handler).handler(exchange->request, pieces, responder); });
      });
    }
    while (true) {
      // While the handler works on a piece the next ones are read, if that needs no waiting.
      co_await sleep_until([&] {
        return exchange_->answer() || exchange_->wants_body() || (exchange_->has_room_for_body() && body.is_here());
      });
      if (exchange_->answer() || !stream_.is_open()) break;
      Result<std::string> piece = co_await body.next();
      exchange_->deliver(std::move(piece));
    }
    if (!body.is_done()) keep_alive_ = false;  // answered before the body's end
    // A handler that streams its answer may still read on.
    co_return co_await write_answer([&] { return body.next(); });
  }

  using ReadOn = std::function<asio::awaitable<Result<std::string>>()>;

  asio::awaitable<bool> write_answer(ReadOn read_on = nullptr) {
    if (!exchange_->answer()) co_return false;
    bool written = false;
    if (exchange_->is_stream()) {
      written = co_await write_stream(*exchange_->answer(), read_on);
    } else if (exchange_->is_file()) {
      written = co_await write_file(*exchange_->answer());
    } else {
      written = co_await write_whole(*exchange_->answer(), is_head_);
    }
    exchange_->close(written);
    if (!written) keep_alive_ = false;
    co_return keep_alive_;
  }

  void account(int status) {
    shared_->counters.requests(status).add();
    if (received_.micros != 0) shared_->counters.latency.record(system_clock().steady() - received_);
    received_ = {};
  }

  asio::awaitable<bool> write_whole(const Response& response, bool head_only) {
    account(response.status);
    keep_alive_ = keep_alive_ && !shared_->stopping;
    const std::string head = render_head(response, {response.body.size(), false, keep_alive_, is_http_1_0_});
    const size_t body_bytes = head_only || !may_have_body(response.status) ? 0 : response.body.size();
    co_return co_await stream_.write(
        std::array<asio::const_buffer, 2>{asio::buffer(head), asio::buffer(response.body.data(), body_bytes)});
  }

  asio::awaitable<bool> write_head(const Response& response, std::optional<std::uint64_t> length, bool chunked) {
    account(response.status);
    const std::string head =
        render_head(response, {length, chunked && may_have_body(response.status), keep_alive_, is_http_1_0_});
    co_return co_await stream_.write(asio::const_buffer(head.data(), head.size()));
  }

  asio::awaitable<bool> write_file(const Response& response) {
    const FilePart part = exchange_->take_file();
    keep_alive_ = keep_alive_ && !shared_->stopping;
    if (!co_await write_head(response, part.length, false)) co_return false;
    if (is_head_ || !may_have_body(response.status)) co_return true;
    FileBody body(part);
    while (true) {
      const FileBody::Turn turn = co_await take_turn(body);
      if (turn == FileBody::Turn::done) co_return true;
      if (turn == FileBody::Turn::failed || !stream_.is_open()) co_return false;
      if (turn == FileBody::Turn::full && !co_await stream_.wait_writable()) co_return false;
    }
  }

  /// Has a thread of the pool send some of the file; the socket is its own until then.
  asio::awaitable<FileBody::Turn> take_turn(FileBody& body) {
    const std::uint64_t sent_before = body.sent();
    std::optional<FileBody::Turn> turn;
    const auto task = [self = this->shared_from_this(), &body, &turn, fd = stream_.lend()] {
      const FileBody::Turn came = body.send_some(fd);
      asio::post(self->loop_->context, [self, &turn, came] {
        turn = came;
        self->rouse();
      });
    };
    while (!shared_->pool.submit(task)) {
      error_code ignored;
      awake_.expires_after(kPoolBusyPause);
      co_await awake_.async_wait(quietly(ignored));
    }
    while (!turn) {
      co_await sleep();
      woken_ = false;
    }
    stream_.take_back(body.sent() - sent_before);
    co_return *turn;
  }

  asio::awaitable<bool> write_stream(const Response& response, const ReadOn& read_on) {
    const auto length = exchange_->stream_length();
    const bool chunked = !length && !is_http_1_0_;
    if ((!length && is_http_1_0_) || shared_->stopping) keep_alive_ = false;
    if (!co_await write_head(response, length, chunked)) co_return false;
    if (is_head_ || !may_have_body(response.status)) co_return true;
    is_endless_ = response.headers.get("Content-Type").starts_with("text/event-stream");
    is_watching_ = true;
    const bool written = co_await write_pieces(length, chunked, read_on);
    is_watching_ = false;
    co_return written;
  }

  asio::awaitable<bool> write_pieces(std::optional<std::uint64_t> length, bool chunked, const ReadOn& read_on) {
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
        if (!co_await stream_.write(buffers)) co_return false;
      }
      if (pieces.aborted) co_return false;
      const bool last = pieces.ended || (shared_->stopping && is_endless_ && pieces.bytes.empty());
      if (last && chunked && !co_await stream_.write(asio::const_buffer("0\r\n\r\n", 5))) co_return false;
      if (last) co_return left == 0;
      if (!stream_.is_open()) co_return false;
      exchange_->look();
      if (read_on && exchange_->wants_body()) {
        Result<std::string> piece = co_await read_on();
        exchange_->deliver(std::move(piece));
        continue;
      }
      co_await sleep();
    }
  }

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<asio::ssl::context> tls_;  // keeps the certificate this connection was opened with
  TimedStream<Stream> stream_;
  asio::steady_timer awake_;
  beast::flat_buffer buffer_{kReadBufferBytesMax};
  Peer peer_;
  Closable* upgraded_ = nullptr;  // the WebSocket that this connection became
  bool woken_ = false;
  bool idle_ = true;
  bool is_watching_ = false;
  bool is_endless_ = false;

  // Of the request in hand.
  const Route* route_ = nullptr;
  std::shared_ptr<Exchange> exchange_;
  Time received_;
  bool keep_alive_ = true;
  bool is_head_ = false;
  bool is_http_1_0_ = false;
};

/// A handler on the pool may be the last to hold a connection; it still dies on its own event loop, which must outlive
/// that very post.
template <typename Stream>
void start_connection(std::shared_ptr<Shared> shared, const std::shared_ptr<Loop>& loop, Stream stream,
                      std::shared_ptr<asio::ssl::context> tls) {
  const std::shared_ptr<Connection<Stream>> connection(
      new Connection<Stream>(std::move(shared), loop, std::move(stream), std::move(tls)),
      [loop](Connection<Stream>* ended) { asio::post(loop->context, [ended] { delete ended; }); });
  asio::co_spawn(
      loop->context, [connection]() -> asio::awaitable<void> { return connection->run(); },
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

// The body of a streaming request, on its way from the socket to the handler. On its event loop only.
//
// A body of known length goes from the socket straight into the piece that the handler gets; one in chunks goes through
// Beast's parser.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "http/connection.h"
#include "http/head.h"
#include "http/pace.h"
#include "http/timed_stream.h"

namespace slipway::http {

template <typename Stream>
class RequestBody {
 public:
  /// `buffer` holds what came with the head. All that it is given outlives it, except for the head's parser.
  RequestBody(TimedStream<Stream>& stream, beast::flat_buffer& buffer, HeadParser&& head, const Route& route,
              Shared& shared)
      : stream_(stream),
        buffer_(buffer),
        route_(route),
        counters_(shared.counters),
        grace_(shared.options.body_grace),
        parser_(std::move(head)),
        pace_(shared.options.body_bytes_per_second_min, shared.options.body_grace) {
    parser_.body_limit(route_.options.body_bytes_max);
    if (!parser_.chunked()) left_ = parser_.content_length().value_or(0);
    length_ = left_;
  }

  /// Unknown when it comes in chunks.
  std::optional<std::uint64_t> length() const { return length_; }
  bool is_done() const { return left_ ? *left_ == 0 : parser_.is_done(); }
  /// Whether next() finds something without waiting for the client. A record of TLS or a chunk may be there in part, so
  /// nobody knows of those.
  bool is_here() { return TimedStream<Stream>::kIsPlain && left_.value_or(0) > 0 && bytes_here() > 0; }

  /// What is there of it, at least a byte, at most kBodyPieceBytes; empty at its end.
  asio::awaitable<Result<std::string>> next() {
    if (is_done()) co_return std::string();
    Result<std::string> piece = std::string();
    if (left_) {
      piece = co_await next_known();
    } else {
      piece = co_await next_chunks();
    }
    if (piece.ok()) counters_.bytes_in.add(piece->size());
    co_return piece;
  }

 private:
  /// A hint only for encrypted streams: of what is decrypted already it knows nothing.
  size_t bytes_here() {
    error_code problem;
    const size_t n = stream_.socket().available(problem);
    return buffer_.size() + (problem ? 0 : n);
  }

  asio::awaitable<Result<std::string>> next_known() {
    size_t here = bytes_here();
    // Asking the socket how much there is needs something to be there; a piece is no larger than what came.
    if (TimedStream<Stream>::kIsPlain && here == 0) {
      error_code problem;
      const Time began = begin_wait();
      co_await stream_.socket().async_wait(tcp::socket::wait_read, quietly(problem));
      pace_.add(0, system_clock().steady() - began);
      if (auto trouble = trouble_of(problem)) co_return *trouble;
      here = bytes_here();
    }
    const size_t size = std::min<std::uint64_t>(std::clamp(here, kReadBytes, kBodyPieceBytes), *left_);
    std::string piece(size, '\0');
    size_t filled = take_buffered_bytes(piece);
    while (filled == 0 || (!TimedStream<Stream>::kIsPlain && filled < size && bytes_here() > 0)) {
      error_code problem;
      const Time began = begin_wait();
      const size_t n =
          co_await stream_.next().async_read_some(asio::buffer(piece.data() + filled, size - filled), quietly(problem));
      pace_.add(n, system_clock().steady() - began);
      if (auto trouble = trouble_of(problem)) co_return *trouble;
      filled += n;
    }
    piece.resize(filled);
    *left_ -= filled;
    co_return piece;
  }

  size_t take_buffered_bytes(std::string& piece) {
    const size_t n = std::min(piece.size(), buffer_.size());
    if (n > 0) std::memcpy(piece.data(), buffer_.data().data(), n);
    buffer_.consume(n);
    pace_.add(n, Duration(0));
    return n;
  }

  asio::awaitable<Result<std::string>> next_chunks() {
    std::string piece(kBodyPieceBytes, '\0');
    auto& body = parser_.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    while (!parser_.is_done() && body.size > 0 && (body.size == piece.size() || bytes_here() > 0)) {
      error_code problem;
      const size_t left = body.size;
      const Time began = begin_wait();
      co_await beast::http::async_read_some(stream_.next(), buffer_, parser_, quietly(problem));
      pace_.add(left - body.size, system_clock().steady() - began);
      if (problem == beast::http::error::need_buffer) break;
      if (problem == beast::http::error::body_limit)
        co_return Error{ErrorCode::too_large,
                        "the body may have at most " + render_bytes(route_.options.body_bytes_max)};
      if (!stream_.timed_out() && answer_to_bad_head(problem, 0))
        co_return Error{ErrorCode::invalid_argument, "the chunks of the body are malformed: " + problem.message()};
      if (auto trouble = trouble_of(problem)) co_return *trouble;
    }
    piece.resize(piece.size() - body.size);
    co_return piece;
  }

  Time begin_wait() {
    stream_.limit(grace_);
    return system_clock().steady();
  }

  /// Why it cannot go on after a wait, if it cannot.
  std::optional<Error> trouble_of(error_code problem) {
    if ((problem && stream_.timed_out()) || (!problem && pace_.is_too_slow())) {
      counters_.timed_out.add();
      return Error{ErrorCode::timed_out, "the body arrives too slowly"};
    }
    if (problem) return Error{ErrorCode::cancelled, "the body was cut off: " + what_is_missing(problem)};
    return std::nullopt;
  }

  std::string what_is_missing(error_code problem) const {
    if (problem != asio::error::eof && problem != beast::http::error::partial_message) return problem.message();
    if (!left_) return "its last chunk did not come";
    return std::to_string(*length_ - *left_) + " of " + std::to_string(*length_) + " bytes came";
  }

  TimedStream<Stream>& stream_;
  beast::flat_buffer& buffer_;
  const Route& route_;
  ServerCounters& counters_;
  const Duration grace_;
  beast::http::request_parser<beast::http::buffer_body> parser_;
  Pace pace_;
  std::optional<std::uint64_t> left_;    // of a body of known length
  std::optional<std::uint64_t> length_;  // of all of it
};

}  // namespace slipway::http

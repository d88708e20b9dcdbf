// One request and its answer, shared between the connection (on its event loop) and whoever handles it (on any thread).
//
// The connection owns the socket and does all I/O; the other side only leaves things here and wakes it: an answer,
// pieces of a streamed answer, the wish for more of the body. The request lives here too, because a handler may look at
// it after it has answered, when the connection is at the next one already.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/counters.h"
#include "http/encoding.h"
#include "http/file_body.h"
#include "http/http.h"

namespace slipway::http {

/// Of a streamed body that its handler has begun to take, read before the handler asks.
inline constexpr size_t kBodyAheadBytes = 2 << 20;

/// Somebody on an event loop who waits. wake() may be called from any thread.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void wake() = 0;
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::weak_ptr<Sleeper> connection, size_t stream_queue_bytes_max, Counter& answered_twice)
      : connection_(std::move(connection)),
        stream_queue_bytes_max_(stream_queue_bytes_max),
        answered_twice_(answered_twice) {}

  /// The handler's, once the connection has handed it over.
  Request request;
  /// How the client likes its answer encoded. Constant once handed over; whoever answers compresses, on their own
  /// thread.
  Encoding accepted = Encoding::identity;
  /// Whether the connection can have the kernel send a file: it is not encrypted. Constant once handed over.
  bool sends_files = false;

  // --- the handler's side, any thread ---
  void send(Response response);
  std::shared_ptr<BodyWriter> stream(Response head, std::optional<std::uint64_t> length);
  void send_file(Response head, FilePart part);
  /// The last Responder is gone: without an answer the client gets a 500.
  void abandon();
  /// The handler threw: a 500, or the end of a stream that was begun.
  void fail();
  /// What the connection has read already, else blocks until it has. failed_precondition once the request is answered:
  /// no more is read then.
  Result<std::string> next_piece();

  // --- the connection's side, its event loop only ---
  /// Picks up what the handler left: the answer, whether it wants body.
  void look();
  /// The answer, once there is one.
  const std::optional<Response>& answer() const { return answer_seen_; }
  bool is_stream() const { return is_stream_; }
  std::optional<std::uint64_t> stream_length() const { return stream_length_; }
  /// What the answer sends behind its head is a file; the connection closes it when that is done.
  bool is_file() const { return file_seen_.has_value(); }
  FilePart take_file() { return std::move(*file_seen_); }
  /// The handler waits for body.
  bool wants_body() const { return wants_body_seen_; }
  /// The handler takes the body, and less than kBodyAheadBytes of it wait for that.
  bool has_room_for_body() const { return has_room_seen_; }
  void deliver(Result<std::string> piece);
  /// Everything queued for the stream's body; `ended` once the writer is gone, `aborted` when it gave up.
  struct Pieces {
    std::deque<std::string> bytes;
    bool ended = false;
    bool aborted = false;
  };
  Pieces take_pieces();
  /// No more I/O will happen: blocked handlers get `cancelled`, on_client_gone is told when the body was not complete.
  void close(bool complete);

 private:
  friend class StreamWriter;

  void wake();                          // without mutex_
  Result<void> check_readable() const;  // with mutex_
  bool has_room() const;                // with mutex_
  void copy_file(Response head, const FilePart& part);

  const std::weak_ptr<Sleeper> connection_;
  const size_t stream_queue_bytes_max_;
  Counter& answered_twice_;

  // The event loop's own.
  std::optional<Response> answer_seen_;
  bool is_stream_ = false;
  std::optional<std::uint64_t> stream_length_;
  std::optional<FilePart> file_seen_;
  bool wants_body_seen_ = false;
  bool has_room_seen_ = false;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool answered_ = false;
  std::optional<Response> answer_;
  bool streaming_ = false;
  std::optional<std::uint64_t> length_;
  std::optional<FilePart> file_;
  std::deque<std::string> queue_;
  size_t queue_bytes_ = 0;
  bool ended_ = false;
  bool aborted_ = false;
  bool closed_ = false;
  bool complete_ = false;
  std::function<void()> client_gone_;
  bool takes_body_ = false;                 // has asked for some
  bool wants_body_ = false;                 // waits for some
  std::deque<Result<std::string>> pieces_;  // of it; its end, or an error, is the last one and stays
  size_t pieces_bytes_ = 0;
};

/// What every copy of a Responder shares.
class Responder::Impl {
 public:
  explicit Impl(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~Impl() { exchange_->abandon(); }
  Exchange& exchange() { return *exchange_; }

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// The body of a streamed request, as its handler sees it.
class ExchangeBody : public BodyReader {
 public:
  ExchangeBody(std::shared_ptr<Exchange> exchange, std::optional<std::uint64_t> length)
      : exchange_(std::move(exchange)), length_(length) {}
  std::optional<std::uint64_t> length() const override { return length_; }
  Result<std::string> next() override { return exchange_->next_piece(); }

 private:
  std::shared_ptr<Exchange> exchange_;
  std::optional<std::uint64_t> length_;
};

}  // namespace slipway::http

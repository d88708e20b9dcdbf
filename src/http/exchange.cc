#include "http/exchange.h"

#include <exception>

#include "base/log.h"
#include "http/answer.h"
#include "http/sharing.h"

namespace slipway::http {
namespace {

Error client_is_gone(std::string_view what) {
  return {ErrorCode::cancelled, "the client went away before the end of the " + std::string(what)};
}
Error answered_already() {
  return {ErrorCode::failed_precondition, "the request is answered already; the rest of its body is not read"};
}

}  // namespace

/// The producer's end of a streamed answer. Its destruction ends the body.
class StreamWriter : public BodyWriter {
 public:
  /// `goes_nowhere`: the request had its answer already, nothing of this one reaches the client.
  StreamWriter(std::shared_ptr<Exchange> exchange, bool goes_nowhere)
      : exchange_(std::move(exchange)), goes_nowhere_(goes_nowhere) {}

  ~StreamWriter() override {
    if (goes_nowhere_) return;
    {
      const std::lock_guard lock(exchange_->mutex_);
      exchange_->ended_ = true;
      // A handler that throws leaves half a body behind.
      if (std::uncaught_exceptions() > exceptions_at_birth_) exchange_->aborted_ = true;
    }
    exchange_->wake();
  }

  Result<void> write(std::string_view bytes) override {
    if (bytes.empty()) return {};
    {
      std::unique_lock lock(exchange_->mutex_);
      exchange_->changed_.wait(
          lock, [&] { return is_closed() || exchange_->queue_bytes_ < exchange_->stream_queue_bytes_max_; });
      if (is_closed()) return client_is_gone("answer");
      push(bytes);
    }
    exchange_->wake();
    return {};
  }

  bool try_write(std::string_view bytes) override {
    {
      const std::lock_guard lock(exchange_->mutex_);
      if (is_closed() || exchange_->queue_bytes_ + bytes.size() > exchange_->stream_queue_bytes_max_) return false;
      if (!bytes.empty()) push(bytes);
    }
    exchange_->wake();
    return true;
  }

  void abort() override {
    if (goes_nowhere_) return;
    {
      const std::lock_guard lock(exchange_->mutex_);
      exchange_->aborted_ = true;
    }
    exchange_->wake();
  }

  bool client_gone() const override {
    const std::lock_guard lock(exchange_->mutex_);
    return is_closed();
  }

  void on_client_gone(std::function<void()> callback) override {
    {
      const std::lock_guard lock(exchange_->mutex_);
      if (!is_closed()) {
        exchange_->client_gone_ = std::move(callback);
        return;
      }
      if (exchange_->complete_) return;
    }
    callback();
  }

 private:
  bool is_closed() const { return goes_nowhere_ || exchange_->closed_; }

  void push(std::string_view bytes) {
    exchange_->queue_.emplace_back(bytes);
    exchange_->queue_bytes_ += bytes.size();
  }

  const std::shared_ptr<Exchange> exchange_;
  const bool goes_nowhere_;
  const int exceptions_at_birth_ = std::uncaught_exceptions();
};

void Exchange::wake() {
  if (const auto connection = connection_.lock()) connection->wake();
}

void Exchange::send(Response response) {
  // Here rather than on the event loop, because a large body takes milliseconds.
  compress(response, accepted);
  add_sharing(request, response);
  {
    const std::lock_guard lock(mutex_);
    if (answered_) {
      answered_twice_.add();
      return;
    }
    answered_ = true;
    answer_ = std::move(response);
  }
  changed_.notify_all();
  wake();
}

std::shared_ptr<BodyWriter> Exchange::stream(Response head, std::optional<std::uint64_t> length) {
  bool is_second = false;
  add_sharing(request, head);
  {
    const std::lock_guard lock(mutex_);
    is_second = answered_;
    if (!is_second) {
      answered_ = true;
      answer_ = std::move(head);
      streaming_ = true;
      length_ = length;
    }
  }
  if (is_second) {
    answered_twice_.add();
  } else {
    changed_.notify_all();
    wake();
  }
  return std::make_shared<StreamWriter>(shared_from_this(), is_second);
}

void Exchange::abandon() {
  {
    const std::lock_guard lock(mutex_);
    if (answered_) return;
  }
  log_error("http", "a request was dropped without an answer", {{"path", request.path}});
  send(refusal(500, "internal", "the server gave no answer to this request [this is a bug]"));
}

void Exchange::fail() {
  bool has_begun = false;
  {
    const std::lock_guard lock(mutex_);
    has_begun = answered_;
    aborted_ = aborted_ || (streaming_ && !closed_);
  }
  if (has_begun) return wake();
  send(refusal(500, "internal", "the server failed at this request [this is a bug]; its log says more"));
}

Result<std::string> Exchange::next_piece() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return client_is_gone("body");
    if (answered_ && !streaming_) return answered_already();
    wants_body_ = true;
    piece_.reset();
  }
  wake();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return piece_.has_value() || closed_ || (answered_ && !streaming_); });
  if (!piece_) return closed_ ? client_is_gone("body") : answered_already();
  Result<std::string> piece = std::move(*piece_);
  piece_.reset();
  return piece;
}

void Exchange::look() {
  const std::lock_guard lock(mutex_);
  if (answer_ && !answer_seen_) {
    answer_seen_ = std::move(answer_);
    is_stream_ = streaming_;
    stream_length_ = length_;
  }
  wants_body_seen_ = wants_body_;
}

void Exchange::deliver(Result<std::string> piece) {
  {
    const std::lock_guard lock(mutex_);
    wants_body_ = false;
    piece_ = std::move(piece);
  }
  wants_body_seen_ = false;
  changed_.notify_all();
}

Exchange::Pieces Exchange::take_pieces() {
  Pieces pieces;
  {
    const std::lock_guard lock(mutex_);
    pieces.bytes.swap(queue_);
    queue_bytes_ = 0;
    pieces.ended = ended_;
    pieces.aborted = aborted_;
  }
  changed_.notify_all();
  return pieces;
}

void Exchange::close(bool complete) {
  std::function<void()> tell;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    complete_ = complete;
    if (!complete) tell = std::move(client_gone_);
    client_gone_ = nullptr;
  }
  changed_.notify_all();
  if (tell) tell();
}

void Responder::send(Response response) const { impl_->exchange().send(std::move(response)); }

std::shared_ptr<BodyWriter> Responder::stream(Response head, std::optional<std::uint64_t> length) const {
  return impl_->exchange().stream(std::move(head), length);
}

}  // namespace slipway::http

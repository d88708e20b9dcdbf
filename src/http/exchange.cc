#include "http/exchange.h"

#include "base/log.h"

namespace slipway::http {

/// The producer's end of a streamed answer. Its destruction ends the body.
class StreamWriter : public BodyWriter {
 public:
  explicit StreamWriter(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  ~StreamWriter() override {
    const std::lock_guard lock(exchange_->mutex_);
    exchange_->ended_ = true;
    exchange_->wake();
  }

  Result<void> write(std::string_view bytes) override {
    if (bytes.empty()) return {};
    std::unique_lock lock(exchange_->mutex_);
    exchange_->changed_.wait(lock, [&] { return exchange_->closed_ || exchange_->queue_bytes_ < exchange_->stream_queue_bytes_max_; });
    if (exchange_->closed_) return Error{ErrorCode::cancelled, "the client went away before the end of the answer"};
    push(bytes);
    exchange_->wake();
    return {};
  }

  bool try_write(std::string_view bytes) override {
    const std::lock_guard lock(exchange_->mutex_);
    if (exchange_->closed_ || exchange_->queue_bytes_ + bytes.size() > exchange_->stream_queue_bytes_max_) return false;
    if (!bytes.empty()) push(bytes);
    exchange_->wake();
    return true;
  }

  bool client_gone() const override {
    const std::lock_guard lock(exchange_->mutex_);
    return exchange_->closed_;
  }

  void on_client_gone(std::function<void()> callback) override {
    {
      const std::lock_guard lock(exchange_->mutex_);
      if (!exchange_->closed_) {
        exchange_->client_gone_ = std::move(callback);
        return;
      }
      if (exchange_->complete_) return;
    }
    callback();
  }

 private:
  void push(std::string_view bytes) {
    exchange_->queue_.emplace_back(bytes);
    exchange_->queue_bytes_ += bytes.size();
  }

  std::shared_ptr<Exchange> exchange_;
};

void Exchange::send(Response response) {
  const std::lock_guard lock(mutex_);
  if (answered_) {
    answered_twice_.add();
    return;
  }
  answered_ = true;
  answer_ = std::move(response);
  wake();
}

void Exchange::wake() {
  // Once closed, the event loop itself may be gone.
  if (!closed_) wake_();
}

std::shared_ptr<BodyWriter> Exchange::stream(Response head, std::optional<std::uint64_t> length) {
  {
    const std::lock_guard lock(mutex_);
    if (answered_) {
      answered_twice_.add();
      closed_ = true;  // writes go nowhere
    } else {
      answered_ = true;
      answer_ = std::move(head);
      streaming_ = true;
      length_ = length;
    }
    wake();
  }
  return std::make_shared<StreamWriter>(shared_from_this());
}

void Exchange::abandon() {
  {
    const std::lock_guard lock(mutex_);
    if (answered_) return;
  }
  log_error("http", "a request was dropped without an answer");
  send(Response::json(R"({"error":{"code":"internal","message":"the server gave no answer to this request [this is a bug]","details":{}}})", 500));
}

Result<std::string> Exchange::next_piece() {
  std::unique_lock lock(mutex_);
  if (closed_) return Error{ErrorCode::cancelled, "the client went away before the end of the body"};
  wants_body_ = true;
  piece_.reset();
  wake();
  changed_.wait(lock, [&] { return piece_.has_value() || closed_; });
  if (!piece_) return Error{ErrorCode::cancelled, "the client went away before the end of the body"};
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

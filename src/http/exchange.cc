#include "http/exchange.h"

#include <exception>

#include "base/file.h"
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

void Exchange::send_file(Response head, FilePart part) {
  head.compressible = false;
  if (part.length <= kFileWholeBytesMax) {
    auto bytes = read_file_part(part.file, part.offset, part.length);
    if (!bytes.ok()) {
      log_error("http", "a file could not be sent", {{"path", request.path}, {"error", bytes.error().message}});
      return send(refusal(500, "internal", "the server could not read what was asked for; its log says more"));
    }
    head.body = std::move(*bytes);
    return send(std::move(head));
  }
  if (!sends_files) return copy_file(std::move(head), part);
  add_sharing(request, head);
  {
    const std::lock_guard lock(mutex_);
    if (answered_) {
      answered_twice_.add();
      return;
    }
    answered_ = true;
    answer_ = std::move(head);
    file_ = std::move(part);
  }
  changed_.notify_all();
  wake();
}

void Exchange::copy_file(Response head, const FilePart& part) {
  const auto body = stream(std::move(head), part.length);
  for (std::uint64_t sent = 0; sent < part.length;) {
    const auto piece = read_file_part(part.file, part.offset + sent, std::min(kFilePieceBytes, part.length - sent));
    if (!piece.ok()) {
      log_error("http", "a file could not be sent to its end",
                {{"path", request.path}, {"error", piece.error().message}});
      return body->abort();
    }
    if (!body->write(*piece).ok()) return;
    sent += piece->size();
  }
}

/// Whether more of the body can reach the handler.
Result<void> Exchange::check_readable() const {
  if (closed_) return client_is_gone("body");
  if (answered_ && !streaming_) return answered_already();
  return {};
}

Result<std::string> Exchange::next_piece() {
  std::unique_lock lock(mutex_);
  takes_body_ = true;
  TRY(check_readable());
  if (pieces_.empty()) {
    wants_body_ = true;
    lock.unlock();
    wake();
    lock.lock();
    changed_.wait(lock, [&] { return !pieces_.empty() || !check_readable().ok(); });
    wants_body_ = false;
    TRY(check_readable());
  }
  const bool is_last = !pieces_.front().ok() || pieces_.front()->empty();
  if (is_last) return pieces_.front();
  Result<std::string> piece = std::move(pieces_.front());
  pieces_.pop_front();
  pieces_bytes_ -= piece->size();
  lock.unlock();
  wake();  // there is room for more
  return piece;
}

void Exchange::look() {
  const std::lock_guard lock(mutex_);
  if (answer_ && !answer_seen_) {
    answer_seen_ = std::move(answer_);
    is_stream_ = streaming_;
    stream_length_ = length_;
    file_seen_ = std::move(file_);
  }
  wants_body_seen_ = wants_body_;
  has_room_seen_ = has_room();
}

bool Exchange::has_room() const {
  const bool has_ended = !pieces_.empty() && (!pieces_.back().ok() || pieces_.back()->empty());
  return takes_body_ && !has_ended && pieces_bytes_ < kBodyAheadBytes;
}

void Exchange::deliver(Result<std::string> piece) {
  {
    const std::lock_guard lock(mutex_);
    wants_body_ = false;
    if (piece.ok()) pieces_bytes_ += piece->size();
    pieces_.push_back(std::move(piece));
    has_room_seen_ = has_room();
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

void Responder::send_file(Response head, UniqueFd file, std::uint64_t offset, std::uint64_t length) const {
  impl_->exchange().send_file(std::move(head), {std::move(file), offset, length});
}

std::shared_ptr<BodyWriter> Responder::stream(Response head, std::optional<std::uint64_t> length) const {
  return impl_->exchange().stream(std::move(head), length);
}

}  // namespace slipway::http

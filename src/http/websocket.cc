#include "http/websocket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <deque>
#include <mutex>

#include "base/log.h"
#include "base/text.h"

namespace slipway::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr Duration kHandshakeTime = std::chrono::seconds(10);
constexpr Duration kIdleTime = std::chrono::seconds(60);  // half of it without a frame sends a ping

struct Message {
  std::string bytes;
  bool is_text = true;
};

/// What its user holds. It may outlive the connection, and the server: once closed, it reaches for nothing.
class Handle : public WebSocket {
 public:
  explicit Handle(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Set by the handler, on the event loop, before the first frame is read; called there.
  void on_message(std::function<void(std::string, bool)> callback) override { message_ = std::move(callback); }
  void on_close(std::function<void()> callback) override { closed_callback_ = std::move(callback); }

  bool send(std::string message, bool is_text) override {
    const std::lock_guard lock(mutex_);
    if (gone_ || closing_ || queue_bytes_ + message.size() > kWebSocketQueueBytesMax) return false;
    queue_bytes_ += message.size();
    queue_.push_back({std::move(message), is_text});
    wake_();
    return true;
  }

  void close() override {
    const std::lock_guard lock(mutex_);
    if (gone_ || closing_) return;
    closing_ = true;
    wake_();
  }

  // --- the connection's side, on its event loop ---
  std::optional<Message> next() {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return std::nullopt;
    Message message = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= message.bytes.size();
    return message;
  }

  bool is_closing() {
    const std::lock_guard lock(mutex_);
    return closing_;
  }

  void deliver(std::string bytes, bool is_text) {
    if (message_) message_(std::move(bytes), is_text);
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      if (gone_) return;
      gone_ = true;
      queue_.clear();
    }
    // The callbacks often hold this very handle; letting go of them lets both end.
    message_ = nullptr;
    const auto tell = std::exchange(closed_callback_, nullptr);
    if (tell) tell();
  }

 private:
  const std::function<void()> wake_;
  std::function<void(std::string, bool)> message_;  // the event loop's
  std::function<void()> closed_callback_;           // the event loop's
  std::mutex mutex_;                                // guards all below
  std::deque<Message> queue_;
  size_t queue_bytes_ = 0;
  bool closing_ = false;
  bool gone_ = false;
};

template <typename Stream>
class Session : public Closable, public std::enable_shared_from_this<Session<Stream>> {
 public:
  explicit Session(Stream stream) : socket_(std::move(stream)) {
    beast::websocket::stream_base::timeout limits{};
    limits.handshake_timeout = kHandshakeTime;
    limits.idle_timeout = kIdleTime;
    limits.keep_alive_pings = true;
    socket_.set_option(limits);
    socket_.read_message_max(kWebSocketMessageBytesMax);
    socket_.auto_fragment(false);
  }

  void tick(Time) override {}
  void drain() override { handle_->close(); }
  void abort() override {
    error_code ignored;
    beast::get_lowest_layer(socket_).close(ignored);
  }

  asio::awaitable<void> run(UpgradeRequest head, const WebSocketHandler& handler, Request& request) {
    const auto self = this->shared_from_this();
    handle_ = std::make_shared<Handle>([weak = this->weak_from_this(), executor = socket_.get_executor()] {
      asio::post(executor, [weak] {
        if (const auto session = weak.lock()) session->start_writing();
      });
    });
    error_code problem;
    co_await socket_.async_accept(head, quietly(problem));
    if (!problem && call([&] { handler(request, handle_); })) co_await read_all();
    abort();
    handle_->end();
  }

 private:
  static auto quietly(error_code& problem) { return asio::redirect_error(asio::use_awaitable, problem); }

  template <typename Body>
  static bool call(Body body) {
    try {
      body();
      return true;
    } catch (const std::exception& problem) {
      log_error("http", "a WebSocket's handler threw", {{"error", problem.what()}});
      return false;
    }
  }

  asio::awaitable<void> read_all() {
    while (true) {
      beast::flat_buffer message(kWebSocketMessageBytesMax);
      error_code problem;
      co_await socket_.async_read(message, quietly(problem));
      if (problem) co_return;
      std::string bytes(static_cast<const char*>(message.data().data()), message.size());
      if (!call([&] { handle_->deliver(std::move(bytes), socket_.got_text()); })) co_return;
    }
  }

  void start_writing() {
    if (writing_) return;
    writing_ = true;
    asio::co_spawn(
        socket_.get_executor(),
        [self = this->shared_from_this()]() -> asio::awaitable<void> { return self->write_all(); }, asio::detached);
  }

  asio::awaitable<void> write_all() {
    error_code problem;
    while (auto message = handle_->next()) {
      socket_.text(message->is_text);
      co_await socket_.async_write(asio::buffer(message->bytes), quietly(problem));
      if (problem) break;
    }
    writing_ = false;
    if (!problem && handle_->is_closing() && !std::exchange(close_sent_, true)) {
      co_await socket_.async_close(beast::websocket::close_code::normal, quietly(problem));
    }
  }

  beast::websocket::stream<Stream, false> socket_;
  std::shared_ptr<Handle> handle_;
  bool writing_ = false;
  bool close_sent_ = false;
};

}  // namespace

bool is_websocket_upgrade(const UpgradeRequest& head) {
  return beast::websocket::is_upgrade(head) && head[beast::http::field::sec_websocket_version] == "13" &&
         !head[beast::http::field::sec_websocket_key].empty();
}

template <typename Stream>
asio::awaitable<void> serve_websocket(Stream stream, UpgradeRequest head, const WebSocketHandler& handler,
                                      Request& request, Closable*& upgraded) {
  const auto session = std::make_shared<Session<Stream>>(std::move(stream));
  upgraded = session.get();
  co_await session->run(std::move(head), handler, request);
  upgraded = nullptr;
}

template asio::awaitable<void> serve_websocket(asio::ip::tcp::socket, UpgradeRequest, const WebSocketHandler&, Request&,
                                               Closable*&);
template asio::awaitable<void> serve_websocket(asio::ssl::stream<asio::ip::tcp::socket>, UpgradeRequest,
                                               const WebSocketHandler&, Request&, Closable*&);

}  // namespace slipway::http

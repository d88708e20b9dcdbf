// A stream whose waits have a limit, plain or encrypted. On its event loop only.
#pragma once

#include <poll.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/core/stream_traits.hpp>

#include <atomic>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"

namespace slipway::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

inline constexpr Duration kWriteTimeout = std::chrono::seconds(60);  // without any progress of a write
inline constexpr Duration kLingerTime = std::chrono::seconds(5);  // for what a client still sends after the last answer
inline constexpr Duration kLingerGap = std::chrono::seconds(1);   // without any of it
inline constexpr size_t kLingerBytesMax = 256 << 20;
inline constexpr Time kNever = {INT64_MAX};

inline auto quietly(error_code& problem) { return asio::redirect_error(asio::use_awaitable, problem); }

template <typename Stream>
class TimedStream {
 public:
  static constexpr bool kIsPlain = std::is_same_v<Stream, tcp::socket>;

  TimedStream(Stream stream, Counter& bytes_out) : stream_(std::move(stream)), bytes_out_(bytes_out) {}

  Stream& next() { return stream_; }
  tcp::socket& socket() { return beast::get_lowest_layer(stream_); }

  /// The peer has closed its end; what it sent before may still be unread.
  bool has_hung_up() {
    pollfd looked{socket().native_handle(), POLLRDHUP, 0};
    return ::poll(&looked, 1, 0) > 0;
  }
  auto get_executor() { return stream_.get_executor(); }
  bool is_open() { return socket().is_open() && !closes_; }

  /// What is waited for from now on is cancelled after `d`; timed_out() then tells it from other ends.
  void limit(Duration d) {
    deadline_ = system_clock().steady() + d;
    timed_out_ = false;
  }
  void no_limit() { deadline_ = kNever; }
  bool timed_out() const { return timed_out_; }

  void tick(Time now) {
    if (now < deadline_) return;
    deadline_ = kNever;
    timed_out_ = true;
    error_code ignored;
    socket().cancel(ignored);
  }

  void close() {
    error_code ignored;
    socket().shutdown(tcp::socket::shutdown_both, ignored);
    closes_ = true;
    if (!is_lent_) socket().close(ignored);
  }

  /// From here to take_back() another thread may write to the socket: it keeps its number, whatever is closed
  /// meanwhile.
  int lend() {
    no_limit();
    is_lent_ = true;
    return socket().native_handle();
  }
  void take_back(std::uint64_t bytes_written) {
    is_lent_ = false;
    bytes_out_.add(bytes_written);
    if (closes_) close();
  }

  /// Until the kernel takes more. False for a client that takes nothing for kWriteTimeout, or is gone.
  asio::awaitable<bool> wait_writable() {
    error_code problem;
    limit(kWriteTimeout);
    co_await socket().async_wait(tcp::socket::wait_write, quietly(problem));
    no_limit();
    co_return !problem && is_open();
  }

  asio::awaitable<bool> shake_hands(Duration d) {
    if constexpr (!kIsPlain) {
      error_code problem;
      limit(d);
      co_await stream_.async_handshake(asio::ssl::stream_base::server, quietly(problem));
      co_return !problem;
    }
    co_return true;
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
        limit(kWriteTimeout);
        n = co_await stream_.async_write_some(left, quietly(problem));
      }
      if (problem) co_return false;
      left.consume(n);
      bytes_out_.add(n);
    }
    co_return true;
  }

  /// Lets the last answer arrive: says "no more", then reads and drops what the client still sends, for a short while.
  /// Closing at once would make the kernel throw away what the client has not read yet.
  asio::awaitable<void> linger(const std::atomic<bool>& stopping) {
    error_code ignored;
    if (!is_open()) co_return;
    if constexpr (!kIsPlain) {
      limit(kLingerGap);
      co_await stream_.async_shutdown(quietly(ignored));
    }
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    const Time end = system_clock().steady() + kLingerTime;
    std::vector<char> scratch(64 << 10);
    for (size_t dropped = 0; dropped < kLingerBytesMax && !stopping && system_clock().steady() < end;) {
      error_code problem;
      limit(kLingerGap);
      dropped += co_await socket().async_read_some(asio::buffer(scratch), quietly(problem));
      if (problem) break;
    }
    socket().close(ignored);
  }

 private:
  Stream stream_;
  Counter& bytes_out_;
  Time deadline_ = kNever;
  bool timed_out_ = false;
  bool is_lent_ = false;
  bool closes_ = false;
};

}  // namespace slipway::http

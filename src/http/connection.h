// One accepted connection: reads requests, finds their routes, writes answers, in order, until it ends. Beast and Asio
// stay in the .cc files that include this.
//
// A connection is one coroutine on one event loop. It reads a head, runs the gates, reads the body if the route wants
// it whole, hands the request over, and sleeps until it is woken: by an answer, by a piece of a streamed answer, or by
// a handler that wants more of the body. What follows on the connection (pipelining) stays in the buffer until the
// answer is written.
//
// Time limits are one number per connection, looked at by its loop every kTickTime: setting one costs nothing, and a
// limit that passes cancels what the connection waits for, so that it can still say 408 before it closes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <memory>
#include <set>
#include <vector>

#include "base/counters.h"
#include "base/guarded.h"
#include "http/http.h"
#include "http/router_impl.h"

namespace slipway::http {

inline constexpr Duration kTickTime = std::chrono::milliseconds(100);
inline constexpr size_t kReadBufferBytesMax = 256 << 10;
inline constexpr size_t kReadBytes = 16 << 10;  // asked of the socket at once, for heads
inline constexpr size_t kBodyPieceBytes = 1 << 20;
inline constexpr size_t kDroppedBytesMax = 64 << 10;  // of a body that nobody reads, on a connection that goes on
inline constexpr Duration kPoolBusyPause = std::chrono::milliseconds(10);  // until a file's turn is offered again
inline constexpr size_t kPiecesPerWriteMax = 32;  // so that sizes, bytes and ends fit one gathered write

/// What a connection can be told from outside; on its own event loop only.
class Closable {
 public:
  virtual ~Closable() = default;
  /// Looks whether a time limit has passed.
  virtual void tick(Time now) = 0;
  /// The server stops: an idle connection closes now, a busy one after its answer, an endless stream ends.
  virtual void drain() = 0;
  /// Closes at once.
  virtual void abort() = 0;
};

/// Somebody on an event loop who sleeps until roused; on that loop only.
class Rousable {
 public:
  virtual ~Rousable() = default;
  virtual void rouse() = 0;
};

/// Counters of one server.
struct ServerCounters {
  explicit ServerCounters(Counters& counters);
  Counter& requests(int status) { return *by_class[std::min(std::max(status / 100, 1), 5) - 1]; }

  std::array<Counter*, 5> by_class;
  Counter& connections_total;
  Counter& connections_refused;
  Counter& bytes_in;
  Counter& bytes_out;
  Counter& timed_out;
  Counter& answered_twice;
  Gauge& connections_open;
  Gauge& requests_in_flight;
  LatencyHistogram& latency;
};

/// What all connections of a server share.
struct Shared {
  const ServerOptions options;
  const Router::Impl& router;
  ThreadPool& pool;
  ServerCounters counters;
  std::atomic<bool> stopping{false};
  std::atomic<size_t> open{0};
};

/// One event loop: its thread, and the connections that live on it.
struct Loop {
  boost::asio::io_context context{1};
  std::set<Closable*> connections;                      // the loop's own
  Guarded<std::vector<std::weak_ptr<Rousable>>> woken;  // who is roused at its next turn
  Thread thread;
};

/// Has `sleeper` roused on its loop, soon; from any thread. All that one thread wakes under an Afterwards cost the loop
/// one turn.
void wake(const std::shared_ptr<Loop>& loop, std::weak_ptr<Rousable> sleeper);

/// Starts to serve an accepted socket on its loop. It owns itself and ends by itself.
void serve(std::shared_ptr<Shared> shared, const std::shared_ptr<Loop>& loop, boost::asio::ip::tcp::socket socket);
void serve_tls(std::shared_ptr<Shared> shared, const std::shared_ptr<Loop>& loop, boost::asio::ip::tcp::socket socket,
               std::shared_ptr<boost::asio::ssl::context> tls);

}  // namespace slipway::http

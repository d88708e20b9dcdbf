#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sched.h>

#include <csignal>
#include <thread>

#include "base/log.h"
#include "http/connection.h"
#include "http/tls.h"

namespace slipway::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

ServerCounters::ServerCounters(Counters& counters)
    : connections_total(counters.counter("http_connections_total", "Connections accepted")),
      connections_refused(
          counters.counter("http_connections_refused_total", "Connections closed because too many were open")),
      bytes_in(counters.counter("http_body_bytes_received_total", "Bytes of request bodies")),
      bytes_out(counters.counter("http_bytes_sent_total", "Bytes of answers")),
      timed_out(counters.counter("http_requests_timed_out_total", "Requests whose head or body was too slow")),
      answered_twice(counters.counter("http_answered_twice_total", "Answers to requests that had one already")),
      connections_open(counters.gauge("http_connections_open", "Connections open now")),
      requests_in_flight(counters.gauge("http_requests_in_flight", "Requests being read or answered now")),
      latency(counters.latency("http_request_duration_seconds", "From a request's head to its answer")) {
  static constexpr const char* kClasses[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  for (size_t i = 0; i < 5; ++i)
    by_class[i] = &counters.counter("http_requests_total", "Requests answered", {{"status", kClasses[i]}});
}

namespace {

/// The cores this program may use, which are fewer than the machine's under taskset or in a container.
size_t usable_cores() {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return std::max(1u, std::thread::hardware_concurrency());
  return static_cast<size_t>(std::max(1, CPU_COUNT(&cores)));
}

class AsioServer : public Server {
 public:
  AsioServer(const ServerOptions& options, const Router& router, ThreadPool& pool, Counters& counters)
      : shared_(new Shared{options, router.impl(), pool, ServerCounters(counters)}) {
    const size_t count = options.loops > 0 ? options.loops : usable_cores();
    for (size_t i = 0; i < count; ++i) loops_.push_back(std::make_shared<Loop>());
    acceptor_ = std::make_unique<tcp::acceptor>(loops_[0]->context);
  }

  ~AsioServer() override { stop(Duration(0)); }

  Result<void> listen() {
    const ServerOptions& options = shared_->options;
    error_code problem;
    const auto address = asio::ip::make_address(options.address, problem);
    if (problem)
      return Error{ErrorCode::invalid_argument,
                   "'" + options.address + "' is no IP address; expected for example 127.0.0.1 or ::1"};
    if (options.tls) tls_ = TRY(TlsFiles::open(*options.tls));
    const tcp::endpoint endpoint(address, static_cast<unsigned short>(options.port));
    acceptor_->open(endpoint.protocol(), problem);
    if (!problem) acceptor_->set_option(tcp::acceptor::reuse_address(true), problem);
    if (!problem) acceptor_->bind(endpoint, problem);
    if (!problem) acceptor_->listen(1024, problem);
    if (problem) {
      return Error{ErrorCode::failed_precondition,
                   "cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " +
                       problem.message() +
                       (problem == asio::error::address_in_use
                            ? "; another program answers there, choose another port with --listen"
                            : "")};
    }
    port_ = acceptor_->local_endpoint().port();
    return {};
  }

  void run() {
    asio::co_spawn(loops_[0]->context, accept_all(), asio::detached);
    for (size_t i = 0; i < loops_.size(); ++i) {
      guards_.push_back(asio::make_work_guard(loops_[i]->context));
      asio::co_spawn(loops_[i]->context, tick(*loops_[i]), asio::detached);
      loops_[i]->thread = Thread("http-" + std::to_string(i), [loop = loops_[i].get()] { loop->context.run(); });
    }
  }

  int port() const override { return port_; }

  void stop(Duration grace) override {
    if (stopped_.exchange(true)) return;
    shared_->stopping = true;
    asio::post(loops_[0]->context, [this] {
      error_code ignored;
      acceptor_->close(ignored);
    });
    on_every_loop([](Closable& connection) { connection.drain(); });
    const Time deadline = system_clock().steady() + grace;
    while (shared_->open > 0 && system_clock().steady() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    // Handlers that still run on the pool hold their connections; the event loops outlive them all.
    while (shared_->open > 0) {
      on_every_loop([](Closable& connection) { connection.abort(); });
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    for (auto& guard : guards_) guard.reset();
    for (auto& loop : loops_) loop->context.stop();
    for (auto& loop : loops_) loop->thread.join();
  }

 private:
  template <typename Tell>
  void on_every_loop(Tell tell) {
    for (auto& loop : loops_) {
      asio::post(loop->context, [loop = loop.get(), tell] {
        const std::vector<Closable*> connections(loop->connections.begin(), loop->connections.end());
        for (Closable* connection : connections) {
          if (loop->connections.count(connection) > 0) tell(*connection);
        }
      });
    }
  }

  static asio::awaitable<void> tick(Loop& loop) {
    asio::steady_timer timer(loop.context);
    while (true) {
      timer.expires_after(kTickTime);
      co_await timer.async_wait(asio::use_awaitable);
      const Time now = system_clock().steady();
      for (Closable* connection : loop.connections) connection->tick(now);
    }
  }

  asio::awaitable<void> accept_all() {
    size_t next = 0;
    while (acceptor_->is_open()) {
      // No owning pointer here: this waits inside an event loop, which would then own itself.
      const size_t number = next++ % loops_.size();
      tcp::socket socket(loops_[number]->context);
      error_code problem;
      co_await acceptor_->async_accept(socket, asio::redirect_error(asio::use_awaitable, problem));
      if (!acceptor_->is_open()) co_return;
      if (problem) {
        // Out of descriptors, most likely: let some connections end before trying again.
        asio::steady_timer pause(loops_[0]->context, std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, problem));
        continue;
      }
      if (shared_->open.fetch_add(1) >= shared_->options.connections_max) {
        refuse(std::move(socket));
        continue;
      }
      shared_->counters.connections_total.add();
      asio::post(loops_[number]->context,
                 [shared = shared_, loop = loops_[number], tls = tls_ ? tls_->context() : nullptr,
                  socket = std::move(socket)]() mutable {
                   if (tls) return serve_tls(std::move(shared), loop, std::move(socket), std::move(tls));
                   serve(std::move(shared), loop, std::move(socket));
                 });
    }
  }

  void refuse(tcp::socket socket) {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    shared_->open.fetch_sub(1);
    shared_->counters.connections_refused.add();
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kAnswer.data(), kAnswer.size()), ignored);
  }

  const std::shared_ptr<Shared> shared_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<TlsFiles> tls_;  // the accepting loop's
  int port_ = 0;
  std::atomic<bool> stopped_{false};
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, const Router& router, ThreadPool& pool,
                                              Counters& counters) {
  ::signal(SIGPIPE, SIG_IGN);  // sendfile(2) to a client that has gone must not end the program
  auto server = std::make_unique<AsioServer>(options, router, pool, counters);
  TRY(server->listen());
  server->run();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace slipway::http

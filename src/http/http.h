// The front door of http: requests, answers, routes, the server and the outgoing client. Nobody outside this room sees
// Asio, Beast or httplib.
//
// A request's life: an event loop reads its head, the router finds the route, the route says where its handler runs.
//   on_loop   the handler runs on the event loop with the whole body in memory. It must not block; it hands slow work
//             to somebody else and completes its Responder later, from any thread.
//   on_pool   the whole body is read first, then the handler runs on the bounded blocking pool.
//   streaming the handler runs on the pool at once and pulls the body piece by piece (uploads of any size).
// Every handler answers exactly once through its Responder. A Responder that is dropped unanswered sends a 500.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/result.h"
#include "base/thread.h"

namespace slipway {
class UniqueFd;
}

namespace slipway::http {

enum class Method { get, head, post, put, patch, del, options };
std::string_view name(Method method);

/// Header fields in their order; names compare without case.
class Headers {
 public:
  /// The first value of that name, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  Headers& add(std::string name, std::string value);
  Headers& set(std::string name, std::string value);
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Who is at the other end of the connection.
struct Peer {
  std::string address;  // "127.0.0.1"
  int port = 0;
  bool loopback = false;
  std::optional<unsigned> uid;  // the operating-system user who owns the socket's other end; loopback only
  bool tls = false;
};

struct Request {
  Method method = Method::get;
  std::string target;                                      // as it came: path and query
  std::string path;                                        // percent-decoded, without query; never used as a file name
  std::vector<std::pair<std::string, std::string>> query;  // percent-decoded, in order, keys may repeat
  std::vector<std::pair<std::string, std::string>> parameters;  // what the route's {name} parts matched, decoded
  Headers headers;
  std::string body;  // whole and decompressed (Content-Encoding gzip, deflate, zstd), empty on streaming routes
  Peer peer;
  Time received;  // steady clock, when the head was complete

  /// The matched {name} part of the route; empty if the route has none of that name.
  std::string_view parameter(std::string_view name) const;
  /// The first query value of that name.
  std::optional<std::string_view> query_value(std::string_view name) const;
};

/// A whole answer. Content-Length, Date, Connection and compression are the server's business.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  /// May be compressed on the way when the client accepts it and it pays (text, JSON, over 1 KiB).
  bool compressible = true;

  static Response json(std::string body, int status = 200);
  static Response text(std::string body, int status = 200);
  static Response empty(int status = 204);
};

/// Pieces of a request body, pulled by a streaming handler. Blocks its (pool) thread; the connection is only read as
/// fast as this is called.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Content-Length when the client sent one.
  virtual std::optional<std::uint64_t> length() const = 0;
  /// The next bytes, at most 1 MiB; empty at the end of a complete body. Errors: cancelled when the client went away or
  /// cut the body short, timed_out when it is slower than the limit, too_large past the route's limit.
  virtual Result<std::string> next() = 0;
};

/// Pieces of an answer's body, pushed by whoever produces it.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  /// Waits until there is room (pool threads only). cancelled when the client went away.
  virtual Result<void> write(std::string_view bytes) = 0;
  /// Never waits: false when `ServerOptions::stream_queue_bytes_max` are waiting already (nothing was taken), or when
  /// the client is gone. From any thread.
  virtual bool try_write(std::string_view bytes) = 0;
  virtual bool client_gone() const = 0;
  /// Called once, from an event loop, when the client goes away before the end.
  virtual void on_client_gone(std::function<void()> callback) = 0;
  /// Gives the body up in the middle: the connection is closed so that the client sees that something is missing.
  virtual void abort() {}
  // Destroying the writer ends the body.
};

/// The one chance to answer a request. Copyable; every copy is the same chance. Complete it from any thread, now or
/// later.
class Responder {
 public:
  class Impl;
  explicit Responder(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  /// Sends a whole answer. Later calls are ignored and counted.
  void send(Response response) const;
  /// Sends the head and returns the writer for the body: chunked, or with `length` when it is known. Response::body is
  /// ignored.
  std::shared_ptr<BodyWriter> stream(Response head, std::optional<std::uint64_t> length = std::nullopt) const;
  /// Sends the head and `length` bytes of a file from `offset` on, never compressed; Response::body is ignored. Pool
  /// threads only, though it mostly returns at once: on plain connections the kernel sends from its cache of the file,
  /// and nobody waits for a slow client. A file that ends earlier ends the connection, so that the client sees it.
  void send_file(Response head, UniqueFd file, std::uint64_t offset, std::uint64_t length) const;

 private:
  std::shared_ptr<Impl> impl_;
};

/// One WebSocket connection (RFC 6455). Callbacks come from an event loop and must not block.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  virtual void on_message(std::function<void(std::string message, bool is_text)> callback) = 0;
  virtual void on_close(std::function<void()> callback) = 0;
  /// From any thread; false when too much is waiting already or the connection is gone.
  virtual bool send(std::string message, bool is_text) = 0;
  virtual void close() = 0;
};

using Handler = std::function<void(Request&, Responder)>;
using StreamingHandler = std::function<void(Request&, BodyReader&, Responder)>;
using WebSocketHandler = std::function<void(Request&, std::shared_ptr<WebSocket>)>;

enum class Where { on_loop, on_pool };

struct RouteOptions {
  Where where = Where::on_pool;
  std::uint64_t body_bytes_max = 64ull << 20;  // 413 past this
};

/// Which handler answers which method and path. Patterns: "/api/v1/runs/{run}/metrics"; a last part "{path...}" takes
/// the rest, slashes included. Literal parts win over {parts}, {parts} over {rest...}. Filled before the server starts,
/// constant after.
class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;

  void add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {});
  void add_streaming(Method method, std::string_view pattern, StreamingHandler handler, RouteOptions options = {});
  void add_websocket(std::string_view pattern, WebSocketHandler handler);

  /// Runs before every handler, on the event loop, with the head only; an answer ends the request there
  /// (authentication, Host and Origin checks). Wrappers run in the order they were added.
  using Gate = std::function<std::optional<Response>(Request&)>;
  void add_gate(Gate gate);

  /// The answer when nothing matches (404) or the path exists under other methods (405, with Allow already set).
  void set_fallback(std::function<Response(const Request&, int status)> fallback);

  /// Every (method, pattern), sorted; the API document is tested against it.
  std::vector<std::pair<Method, std::string>> routes() const;

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct TlsOptions {
  std::string certificate_file, key_file;  // PEM; read again when they change, without a restart
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;      // 0: any free one
  size_t loops = 0;  // 0: one per core
  std::optional<TlsOptions> tls;
  size_t connections_max = 10'000;
  size_t head_bytes_max = 64 << 10;
  Duration head_timeout = std::chrono::seconds(20);   // from the first byte of a head to its end
  Duration idle_timeout = std::chrono::seconds(120);  // keep-alive without a request
  std::uint64_t body_bytes_per_second_min = 1024;     // slower uploads are ended, after body_grace
  Duration body_grace = std::chrono::seconds(20);
  size_t stream_queue_bytes_max = 4 << 20;
};

/// Listens on one address. Threads: `http-0`… (event loops); handlers that block run on the pool it is given.
class Server {
 public:
  /// Binds and starts to answer. `router`, `pool` and `counters` outlive the server. A port in use, or an address that
  /// is not ours, is failed_precondition with the address in the sentence.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, const Router& router, ThreadPool& pool,
                                               Counters& counters);
  virtual ~Server() = default;
  virtual int port() const = 0;
  /// Stops accepting, lets requests in flight end for up to `grace`, then closes what is left. Idempotent.
  virtual void stop(Duration grace) = 0;
};

// --- outgoing ------------------------------------------------------------------------------------------------------

struct ClientOptions {
  Duration connect_timeout = std::chrono::seconds(10);
  Duration read_timeout = std::chrono::seconds(120);  // without a byte
  std::optional<Duration> answer_timeout;             // for a whole answer, however steadily it drips
  std::string ca_file;                                // empty: the system's
  std::string bearer_token;                           // sent as Authorization when set; never logged
  /// Whoever gave the URL is not trusted: only addresses of the public internet are connected to, whatever its name
  /// resolves to in that moment. permission_denied for others.
  bool public_addresses_only = false;
  std::uint64_t answer_bytes_max = 1ull << 30;  // of an answer that is kept in memory; too_large past it
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

/// A keep-alive connection to one server ("http://host:port", "https://…"). One thread at a time. Blocks.
class Client {
 public:
  static Result<Client> open(std::string_view url, ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Any status is a response (a redirect, too: none is followed); unavailable when nobody answers, timed_out when it
  /// takes too long.
  Result<ClientResponse> request(Method method, std::string_view target, std::string_view body = "",
                                 std::string_view content_type = "application/json", const Headers& headers = {});
  /// Sends what `produce` gives until it gives an empty string. `length` when known, else chunked.
  Result<ClientResponse> upload(Method method, std::string_view target, std::optional<std::uint64_t> length,
                                const std::function<Result<std::string>()>& produce, const Headers& headers = {});
  /// Hands the body to `consume` as it comes; it returns false to stop. Error bodies (status >= 400) are in the
  /// response.
  Result<ClientResponse> download(std::string_view target, const std::function<bool(std::string_view)>& consume,
                                  const Headers& headers = {});

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Percent-encoding of one path part or query value (RFC 3986 unreserved characters stay).
std::string url_encode(std::string_view text);
std::string url_decode(std::string_view text, bool plus_is_space = false);

}  // namespace slipway::http

// What the gRPC library does for us, free of its headers: calls come in, bytes go in and out.
//
// gRPC and what it brings along would double the memory of an idle server and its time to start. So the one file that
// uses it (grpc_transport.cc) is a library of its own, libslipway-grpc.so, loaded when a server is told to answer gRPC.
// Server and library are built together and share this header alone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace slipway::api::oip {

/// How a call ends; the numbers are gRPC's own.
enum class GrpcCode {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

/// What is known of a call before its first message is read.
struct GrpcHead {
  std::string method;         // "/inference.GRPCInferenceService/ModelInfer"
  std::string peer;           // "ipv4:127.0.0.1:40312", "ipv6:%5B::1%5D:40312"
  std::string authority;      // what the client calls us: "localhost:8001"
  std::string authorization;  // metadata of this name; empty when there is none
  std::string project;        // metadata x-slipway-project
};

/// One call. Thread-safe; callbacks come from the library's threads, must not block, and are called exactly once. A
/// call whose client is gone is cancelled by itself: reads find nothing, and what is sent goes nowhere.
class GrpcCall {
 public:
  virtual ~GrpcCall() = default;
  virtual const GrpcHead& head() const = 0;
  /// The next message, or none at the end. One read at a time.
  virtual void read(std::function<void(std::optional<std::string>)> done) = 0;
  /// One write at a time; `done` is told whether the message went out.
  virtual void write(std::string message, std::function<void(bool)> done) = 0;
  /// The only message of the answer, and its end. The first end counts.
  virtual void answer(std::string message) = 0;
  virtual void finish(GrpcCode code, std::string message) = 0;
};

struct GrpcTransportOptions {
  std::string address;                   // without brackets
  int port = 0;                          // 0: any free one
  std::string tls_certificate, tls_key;  // PEM files, read again when they change; empty: no TLS
  size_t message_bytes_max = 0;          // of one message from a client; RESOURCE_EXHAUSTED past it
  size_t buffered_bytes_max = 0;         // of all messages on their way in together
  int calls_per_connection_max = 0;
  /// Told of every call before its message is read; must not block.
  std::function<void(std::shared_ptr<GrpcCall>)> on_call;
  /// Told what the library has to say; from any thread.
  std::function<void(const std::string&)> on_trouble;
};

class GrpcTransport {
 public:
  virtual ~GrpcTransport() = default;
  virtual int port() const = 0;
  /// Takes no more calls, lets those in flight end for up to `grace`, then cancels what is left. Idempotent; waits.
  virtual void stop(std::chrono::microseconds grace) = 0;
};

inline constexpr char kGrpcLibrary[] = "libslipway-grpc.so";
inline constexpr char kGrpcStartFunction[] = "slipway_start_grpc";
/// What the library exports under that name: the transport, or null and the reason in `problem`.
using GrpcStartFunction = GrpcTransport*(const GrpcTransportOptions& options, std::string& problem);

}  // namespace slipway::api::oip

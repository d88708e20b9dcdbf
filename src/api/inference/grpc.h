// The gRPC half of the Open Inference Protocol on a port of its own: package `inference`, service GRPCInferenceService.
//
// Who may come in is decided as over HTTP (api/gate.h): metadata `authorization: Bearer TOKEN` is the credential,
// `x-slipway-project` names the project. The user who runs the server needs no token when the port is bound to a
// loopback address and the kernel says that the other end of the connection is theirs; on any other address everybody
// shows one, because gRPC does not tell us which of our addresses a client reached.
#pragma once

#include <memory>
#include <string>

#include "api/inference/grpc_service.h"

namespace slipway::api {

struct GrpcOptions {
  std::string address = "127.0.0.1";     // without brackets
  int port = 0;                          // 0: any free one
  std::string tls_certificate, tls_key;  // PEM files, read again when they change; empty: no TLS
};

class GrpcServer {
 public:
  /// Loads gRPC's library (see oip::GrpcTransport) and answers. All references outlive the server. unavailable when the
  /// library cannot be loaded, failed_precondition when the address cannot be had.
  static Result<std::unique_ptr<GrpcServer>> start(const GrpcOptions& options, http::Router::Gate gate,
                                                   serving::Serving& serving, ThreadPool& pool, Counters& counters);

  int port() const { return transport_->port(); }
  /// Takes no more calls, lets those in flight end for up to `grace`, cancels what is left. Idempotent; waits.
  void stop(Duration grace) { transport_->stop(grace); }

 private:
  GrpcServer() = default;

  std::unique_ptr<oip::GrpcService> service_;
  std::unique_ptr<oip::GrpcTransport> transport_;  // goes first: it calls the service
};

/// Who sits at the other end by gRPC's word for it ("ipv4:127.0.0.1:40312"), of a connection to a port that is bound to
/// `own_address`. No user unless that address is a loopback one and the kernel knows the socket.
http::Peer grpc_peer(const std::string& uri, const std::string& own_address, int own_port);

}  // namespace slipway::api

// The service GRPCInferenceService: each call is let in by the same gate as an HTTP request, read by the same decoder,
// and answered by the same rooms. Knows no sockets; grpc.h brings the calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "api/inference/grpc_transport.h"
#include "base/counters.h"
#include "base/thread.h"
#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api::oip {

inline constexpr int kGrpcCallsMax = 2048;  // in flight, streams included; beyond, UNAVAILABLE

/// The one table from error codes to gRPC's.
GrpcCode grpc_code(ErrorCode code);

class GrpcService {
 public:
  using PeerOf = std::function<http::Peer(const GrpcHead&)>;

  /// All outlive the calls. `peer_of` says who sits at the other end, as far as that is certain.
  GrpcService(http::Router::Gate gate, PeerOf peer_of, serving::Serving& serving, ThreadPool& pool, Counters& counters);

  /// Answers from whichever thread has the answer. Never blocks.
  void take(const std::shared_ptr<GrpcCall>& call) const;

 private:
  Result<ProjectId> admit(const GrpcHead& head) const;

  const http::Router::Gate gate_;
  const PeerOf peer_of_;
  serving::Serving& serving_;
  ThreadPool& pool_;
  Counter& calls_;
  Counter& refused_;
  const std::shared_ptr<std::atomic<int>> in_flight_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace slipway::api::oip

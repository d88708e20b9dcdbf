// What a version did since the server started: the figures of the statistics extension.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "inference/inference.h"

namespace slipway::serving {

/// How often, and for how many nanoseconds in all.
struct CountNs {
  std::uint64_t count = 0, ns = 0;
  void add(std::uint64_t more_ns, std::uint64_t times = 1) {
    count += times;
    ns += more_ns;
  }
};

struct BatchFigures {
  std::uint64_t size = 0;  // rows
  CountNs input, infer, output;
};

/// One version's figures since this server started, as the statistics extension names them.
struct VersionFigures {
  std::int64_t version = 0;
  Time last_inference;  // zero: never
  std::uint64_t inference_count = 0, execution_count = 0;
  CountNs success, fail, queue, input, infer, output;
  std::vector<BatchFigures> batches;
  std::uint64_t memory_bytes = 0;  // of its workers, now
};

/// One version's figures as they grow. Thread-safe.
class VersionStatistics {
 public:
  explicit VersionStatistics(std::int64_t version) { figures_.lock()->version = version; }

  struct Executed {
    std::uint64_t requests = 0, rows = 0, queue_ns = 0, total_ns = 0;  // queue and total summed over the requests
    inference::ComputeTimes times;
  };
  void executed(const Executed& batch, Time now);
  void failed(std::uint64_t total_ns);
  VersionFigures figures() const { return *figures_.lock(); }

 private:
  mutable Guarded<VersionFigures> figures_;
};

}  // namespace slipway::serving

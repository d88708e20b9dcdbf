// A request between its arrival and its answer.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "domain/prediction.h"
#include "inference/inference.h"
#include "serving/serving.h"

namespace slipway::serving {

struct Pending {
  inference::InferRequest request;
  RequestSource source;
  Completion done;
  Time received;  // wall
  Time arrived;   // steady
  Time deadline;  // steady: answered timed_out when it still waits then
  std::uint32_t rows = 1;
};

/// Requests that run together, in one frame.
struct Batch {
  std::uint64_t id = 0;
  std::vector<std::unique_ptr<Pending>> requests;
  Time sent;            // steady
  bool sending = true;  // a thread still reads the requests to write the frame; nobody else may take them
};

}  // namespace slipway::serving

// The worker's whole life: load, warm up, say so, answer until the server's end of the socket closes.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "inference/channel.h"
#include "inference/model.h"

namespace slipway::inference {

struct WorkerOptions {
  std::filesystem::path model;
  Json preprocess;  // an ImageSpec's declaration, or null
  int threads = 1;  // at most, for models that are slow enough for it to pay
};

/// Runs until the server closes the channel. An error was already told to the server as `failed`; the caller only turns
/// it into an exit code.
Result<void> serve(const WorkerOptions& options, Channel& channel);

}  // namespace slipway::inference

// One inference request and its answer, as the Open Inference Protocol means them, free of any wire.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/prediction.h"
#include "inference/tensor.h"

namespace slipway::inference {

struct WantedOutput {
  std::string name;
  bool binary = false;
  std::uint32_t classification = 0;  // > 0: the top N as "value:index[:label]" instead of the tensor
};

struct InferRequest {
  std::string id;
  std::vector<Tensor> inputs;
  std::vector<WantedOutput> outputs;  // empty: all
  bool binary_outputs = false;        // for outputs that do not say
  std::int64_t timeout_us = 0;        // > 0: longest wait in the queue
  /// A PNG or JPEG that a worker turns into the model's only input; `inputs` is empty then. Shares its owner with
  /// nobody who writes.
  std::string_view image;
  std::shared_ptr<const void> image_owner;

  bool is_image() const { return image_owner != nullptr; }
};

/// Nanoseconds spent in the worker, as the statistics extension counts them.
struct ComputeTimes {
  std::uint64_t input_ns = 0, infer_ns = 0, output_ns = 0;
};

struct InferResponse {
  std::string model_name;
  std::string model_version;
  std::string id;  // the request's own
  AnswerId answer;
  std::vector<Tensor> outputs;
  TensorStatistics statistics;
  std::shared_ptr<const std::vector<std::string>> labels;  // class names, or null
};

inline constexpr std::uint64_t kRequestBytesMax = 64ull << 20;
inline constexpr size_t kTensorsMax = 64;  // inputs or outputs of one request

}  // namespace slipway::inference

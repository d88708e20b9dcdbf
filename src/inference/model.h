// One ONNX model in ONNX Runtime. The runtime's library is loaded at the first use, so that a program which only knows
// of models stays small.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "inference/tensor.h"

namespace slipway::inference {

struct ModelOptions {
  int threads = 1;  // of one run; 1 runs on the caller's thread alone
};

class Model {
 public:
  /// Loads the runtime if need be, and the model. Errors: not_found (no such file), invalid_argument (no ONNX model, or
  /// one that this runtime cannot run; the runtime's own words are in the message), unavailable (no runtime library;
  /// the message says where it was looked for).
  static Result<std::unique_ptr<Model>> load(const std::filesystem::path& file, const ModelOptions& options = {});
  virtual ~Model() = default;

  virtual const Signature& signature() const = 0;

  /// Runs with `inputs` in the order of the signature, already held against it. The outputs own their memory. A shape
  /// that only the graph can refuse is invalid_argument. One call at a time.
  virtual Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) = 0;
};

/// Inputs of zeros (BYTES: empty strings) with every open dimension 1: to warm a model up.
std::vector<Tensor> zero_inputs(const Signature& signature);

}  // namespace slipway::inference

// The Open Inference Protocol's REST bodies: JSON, and JSON followed by raw tensors (extension binary_tensor_data).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "inference/message.h"

namespace slipway::inference {

/// Reads the body of POST …/infer. `json_bytes` is the header Inference-Header-Content-Length: nullopt when there is
/// none (all JSON), 0 for a body that is nothing but the model's only input. Tensors may point into the body.
/// Everything wrong is invalid_argument with a sentence; shapes are held against the signature later (check_inputs).
Result<InferRequest> decode_request(std::shared_ptr<const std::string> body, std::optional<std::uint64_t> json_bytes,
                                    const Signature& signature);

struct EncodedBody {
  std::string bytes;
  std::optional<std::uint64_t> json_bytes;  // set when raw tensors follow the JSON
};

/// Writes the answer with the outputs in the order and form `request` wants. An output that the model does not have was
/// refused before (check_outputs). FP16 and BF16 that were wanted as JSON are invalid_argument, because JSON has no
/// such numbers. NaN and infinities become null in JSON.
Result<EncodedBody> encode_response(const InferRequest& request, const InferResponse& response);

/// Whether every wanted output exists and can be written as wanted.
Result<void> check_outputs(const Signature& signature, const InferRequest& request);

/// The inverse of decode_request: raw tensors when `binary`, else JSON.
Result<EncodedBody> encode_request(const InferRequest& request, bool binary);

}  // namespace slipway::inference

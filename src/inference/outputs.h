// Which tensors of an answer go out, and in what form; the same for every wire.
#pragma once

#include <vector>

#include "inference/message.h"

namespace slipway::inference {

/// The outputs that `request` names, or all that the answer has, in the model's order.
std::vector<WantedOutput> wanted_outputs(const InferRequest& request, const InferResponse& response);

/// Their tensors in the same order, classified where that is wanted. internal for one that the answer does not have:
/// what the model does not have was refused before (check_outputs).
Result<std::vector<Tensor>> wanted_tensors(const std::vector<WantedOutput>& wanted, const InferResponse& response);

}  // namespace slipway::inference

// The classification extension: the N largest values of an output as "value:index[:label]".
#pragma once

#include "inference/tensor.h"

namespace slipway::inference {

/// A BYTES tensor [rows, N] (or [N] for a vector), largest first. The first dimension of an output with two or more is
/// taken as rows; the rest is flattened. `labels` may be null.
Result<Tensor> classify(const Tensor& output, std::uint32_t top, const std::vector<std::string>* labels);

}  // namespace slipway::inference

// Figures of a request's first input and first output, for the monitor: cheap enough to compute for every request.
#pragma once

#include <optional>
#include <vector>

#include "domain/prediction.h"
#include "inference/tensor.h"

namespace slipway::inference {

/// Beyond this many elements a tensor is sampled at equal steps.
inline constexpr size_t kStatisticsElementsMax = 1 << 18;

/// The elements as floats; nullopt for BYTES.
std::optional<std::vector<float>> as_floats(const Tensor& tensor);

/// The class axis is the second of an output with two or more dimensions (logits [rows, classes], masks [rows, classes,
/// height, width]); confidence is the mean over everything else. An axis of fewer than two classes, and one of more
/// than kClassesMax, is no classification: confidence and margin are NaN then.
TensorStatistics statistics(const Tensor& input, const Tensor& output);

inline constexpr std::int64_t kClassesMax = 100'000;

}  // namespace slipway::inference

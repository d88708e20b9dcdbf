#include "inference/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "inference/elements.h"

namespace slipway::inference {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <typename T>
float widen(T value) {
  return static_cast<float>(value);
}

/// Calls take(float) for elements 0, step, 2·step, …
template <typename T, typename Take>
void each(std::string_view bytes, size_t step, Take take) {
  const size_t count = bytes.size() / sizeof(T);
  for (size_t i = 0; i < count; i += step) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    take(widen(value));
  }
}

template <typename Take>
bool each_float(const Tensor& tensor, size_t step, Take take) {
  const std::string_view bytes = tensor.bytes;
  switch (tensor.type) {
    case DataType::boolean:
    case DataType::uint8: each<std::uint8_t>(bytes, step, take); return true;
    case DataType::uint16: each<std::uint16_t>(bytes, step, take); return true;
    case DataType::uint32: each<std::uint32_t>(bytes, step, take); return true;
    case DataType::uint64: each<std::uint64_t>(bytes, step, take); return true;
    case DataType::int8: each<std::int8_t>(bytes, step, take); return true;
    case DataType::int16: each<std::int16_t>(bytes, step, take); return true;
    case DataType::int32: each<std::int32_t>(bytes, step, take); return true;
    case DataType::int64: each<std::int64_t>(bytes, step, take); return true;
    case DataType::fp32: each<float>(bytes, step, take); return true;
    case DataType::fp64: each<double>(bytes, step, take); return true;
    case DataType::fp16:
    case DataType::bf16: {
      const bool half = tensor.type == DataType::fp16;
      for (size_t i = 0; i + 1 < bytes.size(); i += 2 * step) {
        std::uint16_t bits;
        std::memcpy(&bits, bytes.data() + i, sizeof bits);
        take(half ? half_to_float(bits) : bfloat_to_float(bits));
      }
      return true;
    }
    case DataType::bytes: return false;
  }
  return false;
}

struct Moments {
  double mean = kNan, deviation = kNan, min = kNan, max = kNan;
};

/// Two sums over differences from the first element, so that large offsets do not eat the variance.
Moments moments(const Tensor& tensor) {
  const size_t size = element_bytes(tensor.type);
  const size_t count = size == 0 ? 0 : tensor.bytes.size() / size;
  if (count == 0) return {};
  const size_t step = (count + kStatisticsElementsMax - 1) / kStatisticsElementsMax;
  float first = 0;
  double sum = 0, squares = 0;
  float low = std::numeric_limits<float>::max(), high = std::numeric_limits<float>::lowest();
  size_t taken = 0;
  each_float(tensor, step, [&](float value) {
    if (taken++ == 0) first = value;
    const double difference = value - first;
    sum += difference;
    squares += difference * difference;
    low = std::min(low, value);
    high = std::max(high, value);
  });
  const double n = static_cast<double>(taken), mean = sum / n;
  return {first + mean, std::sqrt(std::max(0.0, squares / n - mean * mean)), low, high};
}

struct Best {
  double confidence, margin;
  std::int64_t index;
};

/// Largest and second largest probability of `classes` scores that lie `stride` apart.
Best best_of(const float* scores, std::int64_t classes, std::int64_t stride) {
  float top = -std::numeric_limits<float>::infinity(), second = top;
  std::int64_t index = -1;
  double sum = 0;
  bool distribution = true;
  for (std::int64_t c = 0; c < classes; ++c) {
    const float score = scores[c * stride];
    sum += score;
    distribution = distribution && score >= 0 && score <= 1.0001f;
    if (score > top) {
      second = top;
      top = score;
      index = c;
    } else if (score > second) {
      second = score;
    }
  }
  if (index < 0) return {kNan, kNan, -1};
  if (distribution && std::abs(sum - 1) < 1e-3) return {top, static_cast<double>(top) - second, index};
  double total = 0;
  for (std::int64_t c = 0; c < classes; ++c) total += std::exp(static_cast<double>(scores[c * stride]) - top);
  return {1 / total, (1 - std::exp(static_cast<double>(second) - top)) / total, index};
}

void add_classification(const Tensor& output, TensorStatistics& out) {
  out.confidence = out.margin = kNan;
  if (output.shape.rank() < 2) return;
  const std::int64_t rows = output.shape[0], classes = output.shape[1];
  if (rows == 0 || classes < 2 || classes > kClassesMax) return;
  // Whole numbers are class indices or counts already, never scores.
  if (output.type != DataType::fp32 && output.type != DataType::fp64 && output.type != DataType::fp16 &&
      output.type != DataType::bf16)
    return;
  std::optional<std::vector<float>> widened;
  const float* scores = nullptr;
  if (output.type == DataType::fp32 && reinterpret_cast<std::uintptr_t>(output.bytes.data()) % alignof(float) == 0) {
    scores = reinterpret_cast<const float*>(output.bytes.data());
  } else {
    widened = as_floats(output);
    scores = widened->data();
  }
  std::int64_t inner = 1;
  for (int i = 2; i < output.shape.rank(); ++i) inner *= output.shape[i];
  if (inner == 0) return;
  // A mask of a megapixel is looked at in equal steps.
  const std::int64_t positions = rows * inner;
  const std::int64_t step =
      std::max<std::int64_t>(1, positions * classes / static_cast<std::int64_t>(kStatisticsElementsMax));
  double confidence = 0, margin = 0;
  std::int64_t taken = 0;
  for (std::int64_t at = 0; at < positions; at += step, ++taken) {
    const Best best = best_of(scores + (at / inner) * classes * inner + at % inner, classes, inner);
    confidence += best.confidence;
    margin += best.margin;
    if (at == 0 && inner == 1) out.predicted_class = best.index;
  }
  out.confidence = confidence / static_cast<double>(taken);
  out.margin = margin / static_cast<double>(taken);
}

}  // namespace

std::optional<std::vector<float>> as_floats(const Tensor& tensor) {
  const size_t size = element_bytes(tensor.type);
  if (size == 0) return std::nullopt;
  std::vector<float> values;
  values.reserve(tensor.bytes.size() / size);
  each_float(tensor, 1, [&](float value) { values.push_back(value); });
  return values;
}

TensorStatistics statistics(const Tensor& input, const Tensor& output) {
  TensorStatistics out;
  const Moments in = moments(input), result = moments(output);
  out.input_mean = in.mean;
  out.input_deviation = in.deviation;
  out.input_min = in.min;
  out.input_max = in.max;
  out.output_mean = result.mean;
  out.output_deviation = result.deviation;
  add_classification(output, out);
  return out;
}

}  // namespace slipway::inference

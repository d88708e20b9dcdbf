#include "inference/classification.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "inference/statistics.h"

namespace slipway::inference {
namespace {

void append_element(std::string& out, float value, size_t index, const std::vector<std::string>* labels) {
  char text[40];
  std::string element(text, std::to_chars(text, text + sizeof text, value).ptr);
  element += ':' + std::to_string(index);
  if (labels && index < labels->size()) element += ':' + (*labels)[index];
  const auto length = static_cast<std::uint32_t>(element.size());
  out.append(reinterpret_cast<const char*>(&length), sizeof length).append(element);
}

}  // namespace

Result<Tensor> classify(const Tensor& output, std::uint32_t top, const std::vector<std::string>* labels) {
  const auto values = as_floats(output);
  if (!values)
    return Error{ErrorCode::invalid_argument, "output '" + output.name + "' is " + std::string(name(output.type)) +
                                                  " and cannot be classified; only numbers can"};
  const size_t rows = output.shape.rank() >= 2 ? static_cast<size_t>(output.shape[0]) : 1;
  const size_t classes = rows == 0 ? 0 : values->size() / rows;
  const size_t kept = std::min<size_t>(top, classes);

  std::string bytes;
  std::vector<size_t> order(classes);
  for (size_t row = 0; row < rows; ++row) {
    const float* scores = values->data() + row * classes;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                      [&](size_t a, size_t b) { return scores[a] > scores[b] || (scores[a] == scores[b] && a < b); });
    for (size_t i = 0; i < kept; ++i) append_element(bytes, scores[order[i]], order[i], labels);
  }
  Shape shape;
  if (output.shape.rank() >= 2) shape.push_back(static_cast<std::int64_t>(rows));
  shape.push_back(static_cast<std::int64_t>(kept));
  return Tensor::owning(output.name, DataType::bytes, shape, std::move(bytes));
}

}  // namespace slipway::inference

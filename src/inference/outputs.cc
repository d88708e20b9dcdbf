#include "inference/outputs.h"

#include <algorithm>

#include "inference/classification.h"

namespace slipway::inference {

std::vector<WantedOutput> wanted_outputs(const InferRequest& request, const InferResponse& response) {
  if (!request.outputs.empty()) return request.outputs;
  std::vector<WantedOutput> all;
  for (const Tensor& output : response.outputs) all.push_back({output.name, request.binary_outputs, 0});
  return all;
}

Result<std::vector<Tensor>> wanted_tensors(const std::vector<WantedOutput>& wanted, const InferResponse& response) {
  std::vector<Tensor> tensors;
  tensors.reserve(wanted.size());
  for (const WantedOutput& output : wanted) {
    const auto found = std::ranges::find(response.outputs, output.name, &Tensor::name);
    if (found == response.outputs.end())
      return Error{ErrorCode::internal, "the model gave no output '" + output.name + "'"};
    if (output.classification > 0)
      tensors.push_back(TRY(classify(*found, output.classification, response.labels.get())));
    else
      tensors.push_back(*found);
  }
  return tensors;
}

}  // namespace slipway::inference

// Pre-processing by declaration: how a PNG or JPEG becomes the input of a model. Stored with the model version as
//
//   {"input": "image", "decode": "grayscale" | "rgb", "size": [height, width], "scale": 0.00392156862745098,
//    "mean": [0.5], "deviation": [0.5], "layout": "NCHW" | "NHWC", "invert": false}
//
// where everything may be left out: the rest is read off the input's shape, and values go from 0..255 to 0..1.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "inference/tensor.h"

namespace slipway::inference {

struct ImageSpec {
  size_t input = 0;            // index in the signature
  int channels = 1;            // 1 grayscale, 3 RGB
  int height = 0, width = 0;   // 0: the picture's own
  bool channels_last = false;  // NHWC
  double scale = 1.0 / 255;    // value = (pixel · scale - mean) / deviation, per channel
  std::vector<double> mean, deviation;
  bool invert = false;  // 255 - pixel first

  bool operator==(const ImageSpec&) const = default;
};

/// Reads a declaration against the signature (`json` may be null: all from the shape). invalid_argument in a sentence:
/// an unknown key with the nearest known one, a contradiction with the input's shape, a model with several inputs.
Result<ImageSpec> parse_image_spec(const Json& json, const Signature& signature);
/// The inverse of parse_image_spec.
Json render(const ImageSpec& spec, const Signature& signature);

/// Decodes, resizes and scales one picture into one row of the input.
Result<Tensor> image_to_tensor(std::string_view bytes, const ImageSpec& spec, const Signature& signature);

}  // namespace slipway::inference

#include "inference/preprocess.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "inference/image.h"

namespace slipway::inference {
namespace {

constexpr int kSizeMax = 16384;

Error invalid(std::string message) { return Error{ErrorCode::invalid_argument, "preprocess: " + std::move(message)}; }

bool is_channel_count(std::int64_t size) { return size == 1 || size == 3; }

int known(std::int64_t size) { return size > 0 && size <= kSizeMax ? static_cast<int>(size) : 0; }

/// What an input's shape says of pictures: [rows, channels, height, width], [rows, height, width, channels],
/// [rows, height, width].
void read_shape(const Shape& shape, ImageSpec& spec) {
  if (shape.rank() == 4 && is_channel_count(shape[1])) {
    spec.channels = static_cast<int>(shape[1]);
    spec.height = known(shape[2]);
    spec.width = known(shape[3]);
  } else if (shape.rank() == 4 && is_channel_count(shape[3])) {
    spec.channels_last = true;
    spec.channels = static_cast<int>(shape[3]);
    spec.height = known(shape[1]);
    spec.width = known(shape[2]);
  } else if (shape.rank() == 3) {
    spec.height = known(shape[1]);
    spec.width = known(shape[2]);
  }
}

Result<void> check_keys(const Json& json) {
  static const std::vector<std::string> kKeys = {"input", "decode",    "size",   "scale",
                                                 "mean",  "deviation", "layout", "invert"};
  for (const auto& [key, value] : json.object()) {
    if (std::ranges::find(kKeys, key) != kKeys.end()) continue;
    const auto near = nearest(key, kKeys);
    return invalid("unknown key '" + key + "'" +
                   (near ? "; did you mean '" + *near + "'?" : "; known are " + join(kKeys, ", ")));
  }
  return {};
}

Result<size_t> input_of(const Json& json, const Signature& signature) {
  if (json["input"].is_null()) {
    if (signature.inputs.size() == 1) return size_t{0};
    return invalid("the model has " + std::to_string(signature.inputs.size()) +
                   " inputs, and a picture fills one; pictures can be sent to models with one input only");
  }
  const auto found = std::ranges::find(signature.inputs, json["input"].string(), &TensorInfo::name);
  if (found == signature.inputs.end()) return invalid("the model has no input '" + json["input"].string() + "'");
  if (signature.inputs.size() != 1)
    return invalid("the model has " + std::to_string(signature.inputs.size()) +
                   " inputs, and a picture fills one; pictures can be sent to models with one input only");
  return static_cast<size_t>(found - signature.inputs.begin());
}

Result<std::vector<double>> per_channel(const Json& json, const char* key, int channels) {
  const Json& value = json[key];
  std::vector<double> out;
  if (value.is_null()) return out;
  if (const auto one = value.number()) return std::vector<double>(static_cast<size_t>(channels), *one);
  for (const Json& item : value.array()) {
    const auto number = item.number();
    if (!number) return invalid(std::string("'") + key + "' must hold numbers");
    out.push_back(*number);
  }
  if (out.size() != static_cast<size_t>(channels))
    return invalid(std::string("'") + key + "' needs " + std::to_string(channels) +
                   " numbers, one per channel; found " + value.render());
  return out;
}

Result<void> read_decode(const Json& json, ImageSpec& spec) {
  if (json["decode"].is_null()) return {};
  const std::string& decode = json["decode"].string();
  if (decode == "grayscale")
    spec.channels = 1;
  else if (decode == "rgb")
    spec.channels = 3;
  else if (decode != "image")
    return invalid("'decode' must be grayscale, rgb or image; found " + json["decode"].render());
  return {};
}

Result<void> read_size(const Json& json, ImageSpec& spec) {
  if (json["size"].is_null()) return {};
  const auto& sizes = json["size"].array();
  const auto height = sizes.size() == 2 ? sizes[0].integer() : std::nullopt,
             width = sizes.size() == 2 ? sizes[1].integer() : std::nullopt;
  if (!height || !width || !known(*height) || !known(*width))
    return invalid("'size' must be [height, width] of 1 to " + std::to_string(kSizeMax) + "; found " +
                   json["size"].render());
  spec.height = static_cast<int>(*height);
  spec.width = static_cast<int>(*width);
  return {};
}

Result<void> read_layout(const Json& json, ImageSpec& spec) {
  if (json["layout"].is_null()) return {};
  const std::string layout = lower(json["layout"].string());
  if (layout != "nchw" && layout != "nhwc")
    return invalid("'layout' must be NCHW or NHWC; found " + json["layout"].render());
  spec.channels_last = layout == "nhwc";
  return {};
}

/// The shape of one picture as the input wants it, or the reason why it does not fit.
Result<Shape> shape_for(const ImageSpec& spec, const TensorInfo& info, int height, int width) {
  const std::int64_t count = static_cast<std::int64_t>(height) * width * spec.channels;
  Shape shape = info.shape;
  const auto does_not_fit = [&] {
    return invalid("a picture of " + std::to_string(spec.channels) + " x " + std::to_string(height) + " x " +
                   std::to_string(width) + " (channels, height, width) does not fit input '" + info.name +
                   "' of shape " + render(info.shape) + "; declare 'size' and 'decode'");
  };
  if (shape.rank() == 4) {
    const Shape made =
        spec.channels_last ? Shape{1, height, width, spec.channels} : Shape{1, spec.channels, height, width};
    for (int i = 0; i < 4; ++i) {
      if (shape[i] >= 0 && shape[i] != made[i]) return does_not_fit();
    }
    return made;
  }
  // Flat or without a channel axis: rows first, then whatever multiplies to the picture.
  std::int64_t product = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] < 0)
      shape[i] = i == 0                  ? 1
                 : i == shape.rank() - 1 ? count / std::max<std::int64_t>(product, 1)
                 : i == shape.rank() - 2 ? height
                                         : 1;
    product *= shape[i];
  }
  if (product != count) return does_not_fit();
  return shape;
}

template <typename T>
std::string fill(const Image& image, const ImageSpec& spec) {
  const size_t positions = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  const auto channels = static_cast<size_t>(spec.channels);
  std::string bytes(positions * channels * sizeof(T), '\0');
  // One table per channel: 256 values stand for all the arithmetic.
  for (size_t c = 0; c < channels; ++c) {
    std::array<T, 256> table;
    for (int pixel = 0; pixel < 256; ++pixel) {
      const double value = ((spec.invert ? 255 - pixel : pixel) * spec.scale - (spec.mean.empty() ? 0 : spec.mean[c])) /
                           (spec.deviation.empty() ? 1 : spec.deviation[c]);
      table[static_cast<size_t>(pixel)] =
          std::is_integral_v<T> ? static_cast<T>(std::clamp(value + 0.5, 0.0, 255.0)) : static_cast<T>(value);
    }
    for (size_t i = 0; i < positions; ++i) {
      const size_t to = spec.channels_last ? i * channels + c : c * positions + i;
      std::memcpy(bytes.data() + to * sizeof(T), &table[image.pixels[i * channels + c]], sizeof(T));
    }
  }
  return bytes;
}

}  // namespace

Result<ImageSpec> parse_image_spec(const Json& json, const Signature& signature) {
  if (!json.is_null() && !json.is_object())
    return invalid("the declaration must be an object; found " + std::string(json.type_name()));
  TRY(check_keys(json));
  ImageSpec spec;
  spec.input = TRY(input_of(json, signature));
  const TensorInfo& info = signature.inputs[spec.input];
  if (info.type != DataType::fp32 && info.type != DataType::fp64 && info.type != DataType::uint8)
    return invalid("input '" + info.name + "' is " + std::string(name(info.type)) +
                   "; pictures become FP32, FP64 or UINT8");
  if (info.type == DataType::uint8) spec.scale = 1;
  read_shape(info.shape, spec);
  TRY(read_decode(json, spec));
  TRY(read_size(json, spec));
  TRY(read_layout(json, spec));
  if (!json["scale"].is_null()) {
    if (!json["scale"].number()) return invalid("'scale' must be a number; found " + json["scale"].render());
    spec.scale = *json["scale"].number();
  }
  if (!json["invert"].is_null()) {
    if (!json["invert"].boolean()) return invalid("'invert' must be true or false; found " + json["invert"].render());
    spec.invert = *json["invert"].boolean();
  }
  spec.mean = TRY(per_channel(json, "mean", spec.channels));
  spec.deviation = TRY(per_channel(json, "deviation", spec.channels));
  if (std::ranges::any_of(spec.deviation, [](double value) { return value == 0; }))
    return invalid("'deviation' must not be 0");
  if (spec.height > 0) TRY(shape_for(spec, info, spec.height, spec.width));
  return spec;
}

Json render(const ImageSpec& spec, const Signature& signature) {
  Json json;
  json.set("input", signature.inputs[spec.input].name);
  json.set("decode", spec.channels == 1 ? "grayscale" : "rgb");
  if (spec.height > 0) json.set("size", Json::Array{spec.height, spec.width});
  json.set("scale", spec.scale);
  if (!spec.mean.empty()) json.set("mean", Json::Array(spec.mean.begin(), spec.mean.end()));
  if (!spec.deviation.empty()) json.set("deviation", Json::Array(spec.deviation.begin(), spec.deviation.end()));
  json.set("layout", spec.channels_last ? "NHWC" : "NCHW").set("invert", spec.invert);
  return json;
}

Result<Tensor> image_to_tensor(std::string_view bytes, const ImageSpec& spec, const Signature& signature) {
  Image image = TRY(decode_image(bytes, spec.channels));
  if (spec.height > 0) image = resize(image, spec.width, spec.height);
  const TensorInfo& info = signature.inputs[spec.input];
  const Shape shape = TRY(shape_for(spec, info, image.height, image.width));
  std::string values = info.type == DataType::fp32   ? fill<float>(image, spec)
                       : info.type == DataType::fp64 ? fill<double>(image, spec)
                                                     : fill<std::uint8_t>(image, spec);
  return Tensor::owning(info.name, info.type, shape, std::move(values));
}

}  // namespace slipway::inference

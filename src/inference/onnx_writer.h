// Writes small ONNX files, for tests and benchmarks: just enough protobuf (varints and length-delimited fields) for
// graphs of a few nodes. Field numbers are those of onnx.proto.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::inference::onnx {

/// One protobuf message as it grows.
class Message {
 public:
  Message& integer(int field, std::uint64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(value);
    return *this;
  }
  Message& text(int field, std::string_view bytes) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(bytes.size());
    out_ += bytes;
    return *this;
  }
  Message& message(int field, const Message& inner) { return text(field, inner.out_); }
  const std::string& bytes() const { return out_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) out_ += static_cast<char>(value | 128);
    out_ += static_cast<char>(value);
  }
  std::string out_;
};

enum ElementType { kFloat = 1, kUint8 = 2, kInt64 = 7, kString = 8 };

/// Sizes below zero are open dimensions.
inline Message value_info(std::string_view name, ElementType type, const std::vector<std::int64_t>& sizes) {
  Message shape;
  for (const std::int64_t size : sizes)
    shape.message(1, size < 0 ? Message().text(2, "N") : Message().integer(1, static_cast<std::uint64_t>(size)));
  return Message().text(1, name).message(2, Message().message(1, Message().integer(1, type).message(2, shape)));
}

inline Message float_tensor(std::string_view name, const std::vector<std::int64_t>& sizes,
                            const std::vector<float>& values) {
  Message tensor;
  for (const std::int64_t size : sizes) tensor.integer(1, static_cast<std::uint64_t>(size));
  return tensor.integer(2, kFloat).text(8, name).text(
      9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

inline Message node(std::string_view type, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs) {
  Message made;
  for (const std::string& input : inputs) made.text(1, input);
  for (const std::string& output : outputs) made.text(2, output);
  return made.text(4, type);
}

struct Graph {
  std::vector<Message> nodes, initializers, inputs, outputs;
};

/// The bytes of a model file (IR version 8, opset 13).
inline std::string render(const Graph& graph) {
  Message body;
  for (const Message& part : graph.nodes) body.message(1, part);
  body.text(2, "graph");
  for (const Message& part : graph.initializers) body.message(5, part);
  for (const Message& part : graph.inputs) body.message(11, part);
  for (const Message& part : graph.outputs) body.message(12, part);
  return Message()
      .integer(1, 8)
      .text(2, "slipway")
      .message(7, body)
      .message(8, Message().text(1, "").integer(2, 13))
      .bytes();
}

/// y = x · factor, float [-1, width].
inline std::string scaling_model(std::int64_t width, float factor) {
  return render({{node("Mul", {"x", "factor"}, {"y"})},
                 {float_tensor("factor", {1}, {factor})},
                 {value_info("x", kFloat, {-1, width})},
                 {value_info("y", kFloat, {-1, width})}});
}

/// scores = relu(x · W1) · W2 with weights that look random and are always the same: float [-1, in] -> [-1, out].
inline std::string perceptron(std::int64_t in, std::int64_t hidden, std::int64_t out) {
  std::uint32_t state = 1;
  const auto weights = [&](std::int64_t rows, std::int64_t columns) {
    std::vector<float> values(static_cast<size_t>(rows * columns));
    for (float& value : values) {
      state = state * 1664525u + 1013904223u;
      value = (static_cast<float>(state >> 8) / 16777216.0f - 0.5f) * 0.2f;
    }
    return values;
  };
  return render(
      {{node("MatMul", {"x", "w1"}, {"h"}), node("Relu", {"h"}, {"r"}), node("MatMul", {"r", "w2"}, {"scores"})},
       {float_tensor("w1", {in, hidden}, weights(in, hidden)), float_tensor("w2", {hidden, out}, weights(hidden, out))},
       {value_info("x", kFloat, {-1, in})},
       {value_info("scores", kFloat, {-1, out})}});
}

/// An image model that gives back its input flattened: float [-1, channels, height, width] -> [-1,
/// channels·height·width].
inline std::string flatten_model(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return render({{node("Flatten", {"image"}, {"flat"})},
                 {},
                 {value_info("image", kFloat, {-1, channels, height, width})},
                 {value_info("flat", kFloat, {-1, channels * height * width})}});
}

/// Gives strings back as they came: BYTES [-1] -> [-1].
inline std::string echo_strings_model() {
  return render({{node("Identity", {"text"}, {"same"})},
                 {},
                 {value_info("text", kString, {-1})},
                 {value_info("same", kString, {-1})}});
}

}  // namespace slipway::inference::onnx

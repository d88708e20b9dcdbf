#include "inference/tensor.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace slipway::inference {
namespace {

constexpr std::uint64_t kElementsMax = 1ull << 40;

struct TypeRow {
  std::string_view name;
  size_t bytes;
};
constexpr TypeRow kTypes[] = {{"BOOL", 1}, {"UINT8", 1}, {"UINT16", 2}, {"UINT32", 4}, {"UINT64", 8},
                              {"INT8", 1}, {"INT16", 2}, {"INT32", 4},  {"INT64", 8},  {"FP16", 2},
                              {"FP32", 4}, {"FP64", 8},  {"BF16", 2},   {"BYTES", 0}};

Error invalid(std::string message) { return Error{ErrorCode::invalid_argument, std::move(message)}; }

std::string list_names(const std::vector<TensorInfo>& infos) {
  std::string out;
  for (const TensorInfo& info : infos) out += (out.empty() ? "'" : ", '") + info.name + "'";
  return out;
}

bool fits(const Shape& found, const Shape& expected) {
  if (found.rank() != expected.rank()) return false;
  for (int i = 0; i < found.rank(); ++i) {
    if (expected[i] >= 0 && found[i] != expected[i]) return false;
  }
  return true;
}

Result<void> check_input(const TensorInfo& expected, const Tensor& found) {
  if (found.type != expected.type) {
    return invalid("input '" + found.name + "' has datatype " + std::string(name(found.type)) + "; the model expects " +
                   std::string(name(expected.type)));
  }
  if (!fits(found.shape, expected.shape)) {
    return invalid("input '" + found.name + "' has shape " + render(found.shape) + "; the model expects " +
                   render(expected.shape) +
                   (render(expected.shape).find("-1") != std::string::npos ? " (-1: any size)" : ""));
  }
  const auto count = element_count(found.shape);
  if (!count)
    return invalid("input '" + found.name + "' has the impossible shape " + render(found.shape) +
                   "; sizes are not negative and their product is below 2^40");
  if (found.type == DataType::bytes) {
    TRY(split_bytes_elements(found.bytes, *count, found.name));
    return {};
  }
  const std::uint64_t expected_bytes = *count * element_bytes(found.type);
  if (found.bytes.size() != expected_bytes) {
    return invalid("input '" + found.name + "' carries " + std::to_string(found.bytes.size()) + " bytes; " +
                   std::string(name(found.type)) + " of shape " + render(found.shape) + " needs " +
                   std::to_string(expected_bytes));
  }
  return {};
}

Error unknown_input(const Signature& signature, const std::string& name) {
  std::vector<std::string> names;
  for (const TensorInfo& info : signature.inputs) names.push_back(info.name);
  const auto near = nearest(name, names);
  return invalid("the model has no input '" + name + "'" +
                 (near ? "; did you mean '" + *near + "'? Its inputs are " : "; its inputs are ") +
                 list_names(signature.inputs));
}

Json render(const TensorInfo& info) {
  Json::Array sizes;
  for (const std::int64_t size : info.shape.sizes()) sizes.emplace_back(size);
  Json json;
  json.set("name", info.name).set("datatype", std::string(name(info.type))).set("shape", std::move(sizes));
  return json;
}

Result<TensorInfo> parse_info(const Json& json) {
  TensorInfo info;
  info.name = json["name"].string();
  const auto type = parse_data_type(json["datatype"].string());
  if (info.name.empty() || !type)
    return invalid("a tensor of a signature needs a name and a datatype such as FP32; found " + json.render());
  info.type = *type;
  for (const Json& size : json["shape"].array()) {
    const auto value = size.integer();
    if (!value || *value < -1 || !info.shape.push_back(*value))
      return invalid("tensor '" + info.name + "' has the shape " + json["shape"].render() +
                     "; expected up to 8 whole numbers, -1 for any size");
  }
  return info;
}

}  // namespace

std::string_view name(DataType type) { return kTypes[static_cast<size_t>(type)].name; }

size_t element_bytes(DataType type) { return kTypes[static_cast<size_t>(type)].bytes; }

std::optional<DataType> parse_data_type(std::string_view text) {
  for (size_t i = 0; i < std::size(kTypes); ++i) {
    if (kTypes[i].name == text) return static_cast<DataType>(i);
  }
  return std::nullopt;
}

bool Shape::operator==(const Shape& other) const { return std::ranges::equal(sizes(), other.sizes()); }

std::string render(const Shape& shape) {
  std::string out = "[";
  for (const std::int64_t size : shape.sizes()) {
    if (out.size() > 1) out += ',';
    out += std::to_string(size);
  }
  return out + "]";
}

std::optional<std::uint64_t> element_count(const Shape& shape) {
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape.sizes()) {
    if (size < 0) return std::nullopt;
    if (size == 0) {
      empty = true;
      continue;
    }
    if (static_cast<std::uint64_t>(size) > kElementsMax / count) return std::nullopt;
    count *= static_cast<std::uint64_t>(size);
  }
  return empty ? 0 : count;
}

bool Signature::is_batchable() const {
  const auto open = [](const TensorInfo& info) {
    return info.shape.rank() > 0 && info.shape[0] == -1 && info.type != DataType::bytes;
  };
  return !inputs.empty() && std::ranges::all_of(inputs, open) && std::ranges::all_of(outputs, open);
}

Json render(const Signature& signature) {
  Json::Array inputs, outputs;
  for (const TensorInfo& info : signature.inputs) inputs.push_back(render(info));
  for (const TensorInfo& info : signature.outputs) outputs.push_back(render(info));
  Json json;
  json.set("inputs", std::move(inputs)).set("outputs", std::move(outputs));
  return json;
}

Result<Signature> parse_signature(const Json& json) {
  Signature signature;
  for (const Json& input : json["inputs"].array()) signature.inputs.push_back(TRY(parse_info(input)));
  for (const Json& output : json["outputs"].array()) signature.outputs.push_back(TRY(parse_info(output)));
  return signature;
}

Tensor Tensor::owning(std::string name, DataType type, Shape shape, std::string bytes) {
  const auto owner = std::make_shared<const std::string>(std::move(bytes));
  return Tensor{std::move(name), type, shape, *owner, owner};
}

Result<std::vector<std::string_view>> split_bytes_elements(std::string_view bytes, std::uint64_t count,
                                                           std::string_view tensor_name) {
  const auto wrong = [&](const std::string& found) {
    return invalid("tensor '" + std::string(tensor_name) + "' is not " + std::to_string(count) +
                   " BYTES elements, each a 32-bit length and that many bytes: " + found);
  };
  std::vector<std::string_view> elements;
  while (!bytes.empty()) {
    std::uint32_t length;
    if (bytes.size() < sizeof length) return wrong("it ends inside a length");
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes.remove_prefix(sizeof length);
    if (length > bytes.size())
      return wrong("element " + std::to_string(elements.size()) + " claims " + std::to_string(length) + " bytes and " +
                   std::to_string(bytes.size()) + " are left");
    if (elements.size() == count) return wrong("there are more");
    elements.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  if (elements.size() != count) return wrong("there are " + std::to_string(elements.size()));
  return elements;
}

Result<void> check_inputs(const Signature& signature, std::vector<Tensor>& inputs) {
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    const TensorInfo& expected = signature.inputs[i];
    const auto found = std::find_if(inputs.begin() + static_cast<std::ptrdiff_t>(std::min(i, inputs.size())),
                                    inputs.end(), [&](const Tensor& tensor) { return tensor.name == expected.name; });
    if (found == inputs.end()) {
      // A name that is not ours is the likelier slip, and says more than what is missing.
      for (const Tensor& input : inputs) {
        if (std::ranges::none_of(signature.inputs, [&](const TensorInfo& info) { return info.name == input.name; }))
          return unknown_input(signature, input.name);
      }
      return invalid("input '" + expected.name + "' is missing; the model expects " + list_names(signature.inputs));
    }
    std::iter_swap(inputs.begin() + static_cast<std::ptrdiff_t>(i), found);
    TRY(check_input(expected, inputs[i]));
  }
  if (inputs.size() > signature.inputs.size()) {
    const Tensor& extra = inputs[signature.inputs.size()];
    if (std::ranges::any_of(signature.inputs, [&](const TensorInfo& info) { return info.name == extra.name; }))
      return invalid("input '" + extra.name + "' is given twice");
    return unknown_input(signature, extra.name);
  }
  return {};
}

}  // namespace slipway::inference

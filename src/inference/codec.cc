#include "inference/codec.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/text.h"
#include "inference/elements.h"
#include "inference/outputs.h"

namespace slipway::inference {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr size_t kJsonNestingMax = 32;
constexpr size_t kNameBytesMax = 256;

Error invalid(std::string message) { return Error{ErrorCode::invalid_argument, std::move(message)}; }

/// One parser and one padded buffer per thread: simdjson reads a little past the end.
Result<element> parse_document(std::string_view text) {
  thread_local simdjson::dom::parser parser = [] {
    simdjson::dom::parser made;
    CHECK(made.allocate(4096, kJsonNestingMax) == simdjson::SUCCESS, "a JSON parser of 4 KiB needs memory");
    return made;
  }();
  thread_local std::string padded;
  padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  padded.assign(text);
  element document;
  const auto code = parser.parse(padded.data(), text.size(), false).get(document);
  if (padded.capacity() > (1 << 20)) std::string().swap(padded);
  if (code != simdjson::SUCCESS)
    return invalid("the body is not valid JSON: " + std::string(simdjson::error_message(code)));
  return document;
}

/// Raw tensors behind the JSON, taken one after the other.
struct RawTensors {
  std::string_view rest;
  std::shared_ptr<const std::string> owner;
};

Result<std::string> name_of(object json, const char* what) {
  std::string_view name;
  if (json["name"].get_string().get(name) != simdjson::SUCCESS || name.empty())
    return invalid(std::string("every ") + what + " needs a 'name'");
  if (name.size() > kNameBytesMax)
    return invalid(std::string("the name of an ") + what + " is over " + std::to_string(kNameBytesMax) + " bytes");
  return std::string(name);
}

Result<Shape> shape_of(object json, const std::string& name) {
  simdjson::dom::array sizes;
  if (json["shape"].get_array().get(sizes) != simdjson::SUCCESS)
    return invalid("input '" + name + "' needs a 'shape', an array of whole numbers");
  Shape shape;
  for (const element size : sizes) {
    std::int64_t value;
    if (size.get_int64().get(value) != simdjson::SUCCESS || value < 0)
      return invalid("the shape of input '" + name + "' holds something that is no size");
    if (!shape.push_back(value))
      return invalid("input '" + name + "' has more than " + std::to_string(kRankMax) + " dimensions");
  }
  return shape;
}

Result<void> check_parameters(object parameters, const std::string& where) {
  for (const auto [key, value] : parameters) {
    if (key.starts_with("shared_memory_"))
      return Error{ErrorCode::unsupported,
                   where + " uses shared memory, which this server does not offer; send the tensor in the body"};
  }
  return {};
}

Result<Tensor> decode_input(object json, RawTensors& raw) {
  const std::string name = TRY(name_of(json, "input"));
  std::string_view type_name;
  if (json["datatype"].get_string().get(type_name) != simdjson::SUCCESS)
    return invalid("input '" + name + "' needs a 'datatype' such as FP32");
  const auto type = parse_data_type(type_name);
  if (!type)
    return invalid("input '" + name + "' has the unknown datatype '" + std::string(type_name.substr(0, 40)) +
                   "'; known are BOOL, UINT8 to UINT64, INT8 to INT64, FP16, BF16, FP32, FP64, BYTES");
  const Shape shape = TRY(shape_of(json, name));
  Tensor tensor{name, *type, shape, {}, {}};
  const auto count = element_count(tensor.shape);
  if (!count) return invalid("input '" + name + "' has the impossible shape " + render(tensor.shape));

  object parameters;
  std::optional<std::uint64_t> binary_size;
  if (json["parameters"].get_object().get(parameters) == simdjson::SUCCESS) {
    TRY(check_parameters(parameters, "input '" + name + "'"));
    std::uint64_t size;
    const auto found = parameters["binary_data_size"];
    if (found.get_uint64().get(size) == simdjson::SUCCESS)
      binary_size = size;
    else if (found.error() != simdjson::NO_SUCH_FIELD)
      return invalid("'binary_data_size' of input '" + name + "' must be a whole number");
  }
  element data;
  const bool has_data = json["data"].get(data) == simdjson::SUCCESS;
  if (binary_size) {
    if (has_data) return invalid("input '" + name + "' has both 'data' and 'binary_data_size'; give one");
    if (!raw.owner)
      return invalid("input '" + name +
                     "' claims binary data, but the request has no header Inference-Header-Content-Length");
    if (*binary_size > raw.rest.size())
      return invalid("input '" + name + "' claims " + std::to_string(*binary_size) + " bytes of binary data and " +
                     std::to_string(raw.rest.size()) + " are left in the body");
    tensor.bytes = raw.rest.substr(0, *binary_size);
    tensor.owner = raw.owner;
    raw.rest.remove_prefix(*binary_size);
    return tensor;
  }
  if (!has_data) return invalid("input '" + name + "' has neither 'data' nor the parameter 'binary_data_size'");
  return Tensor::owning(name, *type, tensor.shape, TRY(bytes_from_json(data, *type, *count, name)));
}

Result<WantedOutput> decode_output(object json, bool binary_default) {
  WantedOutput output{TRY(name_of(json, "output")), binary_default, 0};
  object parameters;
  if (json["parameters"].get_object().get(parameters) != simdjson::SUCCESS) return output;
  TRY(check_parameters(parameters, "output '" + output.name + "'"));
  element value;
  if (parameters["binary_data"].get(value) == simdjson::SUCCESS &&
      value.get_bool().get(output.binary) != simdjson::SUCCESS)
    return invalid("'binary_data' of output '" + output.name + "' must be true or false");
  std::uint64_t top;
  if (parameters["classification"].get(value) == simdjson::SUCCESS) {
    if (value.get_uint64().get(top) != simdjson::SUCCESS || top > 100'000)
      return invalid("'classification' of output '" + output.name + "' must be a whole number up to 100000");
    output.classification = static_cast<std::uint32_t>(top);
  }
  return output;
}

Result<void> decode_request_parameters(object parameters, InferRequest& request) {
  element value;
  if (parameters["binary_data_output"].get(value) == simdjson::SUCCESS &&
      value.get_bool().get(request.binary_outputs) != simdjson::SUCCESS)
    return invalid("the parameter 'binary_data_output' must be true or false");
  if (parameters["timeout"].get(value) == simdjson::SUCCESS &&
      (value.get_int64().get(request.timeout_us) != simdjson::SUCCESS || request.timeout_us < 0))
    return invalid("the parameter 'timeout' must be a whole number of microseconds");
  std::uint64_t sequence;
  if (parameters["sequence_id"].get(value) == simdjson::SUCCESS &&
      (value.is_string() || (value.get_uint64().get(sequence) == simdjson::SUCCESS && sequence != 0))) {
    return Error{ErrorCode::unsupported,
                 "the request belongs to a sequence; this model keeps no state between requests"};
  }
  return {};
}

template <typename Each>
Result<void> each_object(object document, const char* key, Each each) {
  element list;
  if (document[key].get(list) != simdjson::SUCCESS) return {};
  simdjson::dom::array items;
  if (list.get_array().get(items) != simdjson::SUCCESS) return invalid(std::string("'") + key + "' must be an array");
  if (items.size() > kTensorsMax)
    return invalid(std::string("'") + key + "' has " + std::to_string(items.size()) + " members; the limit is " +
                   std::to_string(kTensorsMax));
  for (const element item : items) {
    object json;
    if (item.get_object().get(json) != simdjson::SUCCESS)
      return invalid(std::string("every member of '") + key + "' must be an object");
    TRY(each(json));
  }
  return {};
}

/// A body that is nothing but the only input: its shape comes from the signature, an open first dimension from the
/// size.
Result<InferRequest> decode_raw(const std::shared_ptr<const std::string>& body, const Signature& signature) {
  if (signature.inputs.size() != 1)
    return invalid("a raw body (Inference-Header-Content-Length: 0) needs a model with one input; this one has " +
                   std::to_string(signature.inputs.size()));
  const TensorInfo& info = signature.inputs[0];
  Shape shape = info.shape;
  std::uint64_t row_elements = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (i == 0 && shape[0] < 0) continue;
    if (shape[i] < 0)
      return invalid("a raw body needs a known shape; input '" + info.name + "' is " + render(info.shape));
    row_elements *= static_cast<std::uint64_t>(shape[i]);
  }
  if (shape.rank() > 0 && shape[0] < 0) {
    const std::uint64_t row_bytes = row_elements * element_bytes(info.type);
    shape[0] = row_bytes == 0 ? 1 : static_cast<std::int64_t>(body->size() / row_bytes);
  }
  InferRequest request;
  // The convention of raw requests: what goes in without JSON comes out the same way.
  request.binary_outputs = true;
  request.inputs.push_back(Tensor{info.name, info.type, shape, *body, body});
  return request;
}

void append_number(std::string& out, std::int64_t value) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_tensor_head(std::string& json, const Tensor& tensor) {
  json += "{\"name\":";
  append_json_string(json, tensor.name);
  json += ",\"datatype\":\"";
  json += name(tensor.type);
  json += "\",\"shape\":[";
  for (int i = 0; i < tensor.shape.rank(); ++i) {
    if (i > 0) json += ',';
    append_number(json, tensor.shape[i]);
  }
  json += ']';
}

bool is_half(DataType type) { return type == DataType::fp16 || type == DataType::bf16; }

Error no_json_form(std::string_view kind, const std::string& tensor_name, DataType type) {
  return invalid(std::string(kind) + " '" + tensor_name + "' is " + std::string(name(type)) +
                 ", and JSON has no such numbers; ask for binary data (parameter binary_data: true)");
}

void append_tensor_body(std::string& json, const Tensor& tensor, bool binary) {
  if (binary) {
    json += ",\"parameters\":{\"binary_data_size\":";
    append_number(json, static_cast<std::int64_t>(tensor.bytes.size()));
    json += "}}";
  } else {
    json += ",\"data\":";
    append_json_elements(json, tensor.type, tensor.bytes);
    json += '}';
  }
}

EncodedBody assemble(std::string json, const std::vector<std::string_view>& raw, bool binary) {
  EncodedBody body;
  if (binary) {
    body.json_bytes = json.size();
    size_t total = json.size();
    for (const std::string_view bytes : raw) total += bytes.size();
    json.reserve(total);
    for (const std::string_view bytes : raw) json += bytes;
  }
  body.bytes = std::move(json);
  return body;
}

/// The answer's id; who sends a picture is often a person with curl and wants the class as well.
void append_parameters(std::string& json, const InferRequest& request, const InferResponse& response) {
  json += ",\"parameters\":{\"slipway_answer_id\":\"";
  json += response.answer.text;
  json += '"';
  const std::int64_t best = response.statistics.predicted_class;
  if (request.is_image() && best >= 0) {
    json += ",\"slipway_class\":";
    append_number(json, best);
    json += ",\"slipway_confidence\":";
    json += render_double(response.statistics.confidence);
    if (response.labels && static_cast<size_t>(best) < response.labels->size()) {
      json += ",\"slipway_label\":";
      append_json_string(json, (*response.labels)[static_cast<size_t>(best)]);
    }
  }
  json += '}';
}

}  // namespace

Result<InferRequest> decode_request(std::shared_ptr<const std::string> body, std::optional<std::uint64_t> json_bytes,
                                    const Signature& signature) {
  if (json_bytes == 0) return decode_raw(body, signature);
  if (json_bytes && *json_bytes > body->size())
    return invalid("Inference-Header-Content-Length is " + std::to_string(*json_bytes) + ", but the body has only " +
                   std::to_string(body->size()) + " bytes");
  const std::string_view text = std::string_view(*body).substr(0, json_bytes.value_or(body->size()));
  object document;
  if (TRY(parse_document(text)).get_object().get(document) != simdjson::SUCCESS)
    return invalid("the body must be a JSON object with 'inputs'");

  InferRequest request;
  std::string_view id;
  element found;
  if (document["id"].get(found) == simdjson::SUCCESS) {
    if (found.get_string().get(id) != simdjson::SUCCESS) return invalid("'id' must be a string");
    request.id = id;
  }
  object parameters;
  if (document["parameters"].get(found) == simdjson::SUCCESS) {
    if (found.get_object().get(parameters) != simdjson::SUCCESS) return invalid("'parameters' must be an object");
    TRY(decode_request_parameters(parameters, request));
  }
  RawTensors raw;
  if (json_bytes) raw = {std::string_view(*body).substr(text.size()), body};
  TRY(each_object(document, "inputs", [&](object json) -> Result<void> {
    request.inputs.push_back(TRY(decode_input(json, raw)));
    return {};
  }));
  if (request.inputs.empty()) return invalid("the request has no 'inputs'");
  if (!raw.rest.empty())
    return invalid("the body has " + std::to_string(raw.rest.size()) +
                   " bytes that no input claims; check binary_data_size and Inference-Header-Content-Length");
  TRY(each_object(document, "outputs", [&](object json) -> Result<void> {
    request.outputs.push_back(TRY(decode_output(json, request.binary_outputs)));
    return {};
  }));
  return request;
}

Result<void> check_outputs(const Signature& signature, const InferRequest& request) {
  const auto check_form = [](const TensorInfo& info, bool binary, bool classified) -> Result<void> {
    if (is_half(info.type) && !binary && !classified) return no_json_form("output", info.name, info.type);
    return {};
  };
  if (request.outputs.empty()) {
    for (const TensorInfo& info : signature.outputs) TRY(check_form(info, request.binary_outputs, false));
    return {};
  }
  for (const WantedOutput& wanted : request.outputs) {
    const auto info = std::ranges::find(signature.outputs, wanted.name, &TensorInfo::name);
    if (info == signature.outputs.end()) {
      std::vector<std::string> names;
      for (const TensorInfo& output : signature.outputs) names.push_back(output.name);
      return invalid("the model has no output '" + wanted.name + "'; its outputs are '" + join(names, "', '") + "'");
    }
    TRY(check_form(*info, wanted.binary, wanted.classification > 0));
  }
  return {};
}

Result<EncodedBody> encode_response(const InferRequest& request, const InferResponse& response) {
  std::string json = "{\"model_name\":";
  json.reserve(512);
  append_json_string(json, response.model_name);
  json += ",\"model_version\":";
  append_json_string(json, response.model_version);
  if (!response.id.empty()) {
    json += ",\"id\":";
    append_json_string(json, response.id);
  }
  if (!response.answer.empty()) append_parameters(json, request, response);
  json += ",\"outputs\":[";
  const std::vector<WantedOutput> wanted = wanted_outputs(request, response);
  const std::vector<Tensor> tensors = TRY(wanted_tensors(wanted, response));
  std::vector<std::string_view> raw;
  bool any_binary = false;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const bool binary = wanted[i].binary;
    if (!binary && is_half(tensors[i].type)) return no_json_form("output", tensors[i].name, tensors[i].type);
    if (i > 0) json += ',';
    append_tensor_head(json, tensors[i]);
    append_tensor_body(json, tensors[i], binary);
    if (binary) raw.push_back(tensors[i].bytes);
    any_binary = any_binary || binary;
  }
  json += "]}";
  return assemble(std::move(json), raw, any_binary);
}

Result<EncodedBody> encode_request(const InferRequest& request, bool binary) {
  std::string json = "{";
  if (!request.id.empty()) {
    json += "\"id\":";
    append_json_string(json, request.id);
    json += ',';
  }
  if (request.binary_outputs || request.timeout_us > 0) {
    json += "\"parameters\":{\"binary_data_output\":";
    json += request.binary_outputs ? "true" : "false";
    json += ",\"timeout\":";
    append_number(json, request.timeout_us);
    json += "},";
  }
  json += "\"inputs\":[";
  std::vector<std::string_view> raw;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const Tensor& tensor = request.inputs[i];
    if (!binary && is_half(tensor.type)) return no_json_form("input", tensor.name, tensor.type);
    if (i > 0) json += ',';
    append_tensor_head(json, tensor);
    append_tensor_body(json, tensor, binary);
    if (binary) raw.push_back(tensor.bytes);
  }
  json += ']';
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    const WantedOutput& wanted = request.outputs[i];
    json += i == 0 ? ",\"outputs\":[{\"name\":" : ",{\"name\":";
    append_json_string(json, wanted.name);
    json += ",\"parameters\":{\"binary_data\":";
    json += wanted.binary ? "true" : "false";
    json += ",\"classification\":";
    append_number(json, wanted.classification);
    json += i + 1 == request.outputs.size() ? "}}]" : "}}";
  }
  json += '}';
  return assemble(std::move(json), raw, binary);
}

}  // namespace slipway::inference

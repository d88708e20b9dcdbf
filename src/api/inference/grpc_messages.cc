#include "api/inference/grpc_messages.h"

#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <cstring>
#include <type_traits>

#include "base/json.h"
#include "inference/outputs.h"

namespace slipway::api::oip {
namespace {

namespace tensors = ::slipway::inference;
using ::inference::InferParameter;
using ::inference::InferTensorContents;
using ::inference::ModelInferRequest;
using Input = ModelInferRequest::InferInputTensor;
using Parameters = google::protobuf::Map<std::string, InferParameter>;

Error invalid(std::string message) { return Error{ErrorCode::invalid_argument, std::move(message)}; }

bool is_in_shared_memory(const Input& input) {
  for (const auto& [key, value] : input.parameters()) {
    if (key.starts_with("shared_memory_")) return true;
  }
  return false;
}

/// How many elements the contents hold, whatever their datatype.
int elements(const InferTensorContents& contents) {
  return contents.bool_contents_size() + contents.int_contents_size() + contents.int64_contents_size() +
         contents.uint_contents_size() + contents.uint64_contents_size() + contents.fp32_contents_size() +
         contents.fp64_contents_size() + contents.bytes_contents_size();
}

/// The elements one after the other, each as a Stored.
template <typename Stored, typename Values>
Result<std::string> pack(const Input& input, const Values& values) {
  std::string bytes(static_cast<size_t>(values.size()) * sizeof(Stored), '\0');
  char* to = bytes.data();
  for (const auto value : values) {
    const auto stored = static_cast<Stored>(value);
    if constexpr (std::is_integral_v<Stored>) {
      if (static_cast<std::remove_const_t<decltype(value)>>(stored) != value)
        return invalid("input '" + input.name() + "' holds " + std::to_string(value) + ", which is no " +
                       input.datatype());
    }
    std::memcpy(to, &stored, sizeof stored);
    to += sizeof stored;
  }
  return bytes;
}

std::string pack_texts(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::string bytes;
  for (const std::string& text : texts) {
    const auto length = static_cast<std::uint32_t>(text.size());
    bytes.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
  }
  return bytes;
}

Result<std::string> pack_as(tensors::DataType type, const Input& input) {
  using tensors::DataType;
  const InferTensorContents& contents = input.contents();
  switch (type) {
    case DataType::boolean: return pack<std::uint8_t>(input, contents.bool_contents());
    case DataType::uint8: return pack<std::uint8_t>(input, contents.uint_contents());
    case DataType::uint16: return pack<std::uint16_t>(input, contents.uint_contents());
    case DataType::uint32: return pack<std::uint32_t>(input, contents.uint_contents());
    case DataType::uint64: return pack<std::uint64_t>(input, contents.uint64_contents());
    case DataType::int8: return pack<std::int8_t>(input, contents.int_contents());
    case DataType::int16: return pack<std::int16_t>(input, contents.int_contents());
    case DataType::int32: return pack<std::int32_t>(input, contents.int_contents());
    case DataType::int64: return pack<std::int64_t>(input, contents.int64_contents());
    case DataType::fp32: return pack<float>(input, contents.fp32_contents());
    case DataType::fp64: return pack<double>(input, contents.fp64_contents());
    case DataType::bytes: return pack_texts(contents.bytes_contents());
    case DataType::fp16:
    case DataType::bf16: break;
  }
  return invalid("input '" + input.name() + "' is " + input.datatype() +
                 ", which has no field in contents; send it in raw_input_contents");
}

/// The bytes of a tensor that came as contents. A datatype that nobody knows is left to the decoder.
Result<std::string> bytes_of_contents(const Input& input) {
  const auto type = tensors::parse_data_type(input.datatype());
  if (!type) return std::string();
  std::string bytes = TRY(pack_as(*type, input));
  const size_t width = tensors::element_bytes(*type);
  const size_t packed = width > 0 ? bytes.size() / width : static_cast<size_t>(input.contents().bytes_contents_size());
  if (packed != static_cast<size_t>(elements(input.contents())))
    return invalid("input '" + input.name() + "' is " + input.datatype() +
                   ", and its contents are in the field of another datatype");
  return bytes;
}

/// Raw or typed, one way for all.
Result<void> check_one_way(const ModelInferRequest& request) {
  const int raw = request.raw_input_contents_size();
  if (raw == 0) return {};
  int expected = 0;
  for (const Input& input : request.inputs()) {
    if (elements(input.contents()) > 0)
      return invalid("input '" + input.name() +
                     "' has contents, and the request has raw_input_contents; send all tensors one way");
    if (!is_in_shared_memory(input)) ++expected;
  }
  if (raw != expected)
    return invalid("the request has " + std::to_string(expected) + " inputs and " + std::to_string(raw) +
                   " raw_input_contents; there must be one for each input");
  return {};
}

void append_value(JsonWriter& json, const InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kBoolParam: json.value(parameter.bool_param()); return;
    case InferParameter::kInt64Param: json.value(static_cast<std::int64_t>(parameter.int64_param())); return;
    case InferParameter::kUint64Param: json.value(static_cast<std::uint64_t>(parameter.uint64_param())); return;
    case InferParameter::kStringParam: json.value(parameter.string_param()); return;
    case InferParameter::kDoubleParam:
      if (std::isfinite(parameter.double_param())) {
        json.value(parameter.double_param());
        return;
      }
      break;
    case InferParameter::PARAMETER_CHOICE_NOT_SET: break;
  }
  json.null();
}

/// All but `ours`, which says how tensors travel here.
void append_parameters(JsonWriter& json, const Parameters& parameters, std::string_view ours) {
  for (const auto& [key, value] : parameters) {
    if (key == ours) continue;
    json.key(key);
    append_value(json, value);
  }
}

void append_input(JsonWriter& json, const Input& input, size_t bytes) {
  json.begin_object().member("name", input.name()).member("datatype", input.datatype()).key("shape").begin_array();
  for (const std::int64_t size : input.shape()) json.value(size);
  json.end_array().key("parameters").begin_object();
  append_parameters(json, input.parameters(), "binary_data_size");
  json.member("binary_data_size", static_cast<std::uint64_t>(bytes)).end_object().end_object();
}

void append_outputs(JsonWriter& json, const ModelInferRequest& request) {
  if (request.outputs().empty()) return;
  json.key("outputs").begin_array();
  for (const auto& output : request.outputs()) {
    json.begin_object().member("name", output.name()).key("parameters").begin_object();
    append_parameters(json, output.parameters(), "binary_data");
    json.member("binary_data", true).end_object().end_object();
  }
  json.end_array();
}

/// The bytes of each input: views into the message, or what was made of its contents.
struct RawInputs {
  std::vector<std::string> made;
  std::vector<std::string_view> bytes;
};

Result<RawInputs> raw_inputs(const ModelInferRequest& request) {
  RawInputs raw;
  raw.made.reserve(static_cast<size_t>(request.inputs_size()));  // `bytes` points into it
  int next = 0;
  for (const Input& input : request.inputs()) {
    if (is_in_shared_memory(input))
      raw.bytes.emplace_back();
    else if (request.raw_input_contents_size() > 0)
      raw.bytes.emplace_back(request.raw_input_contents(next++));
    else
      raw.bytes.emplace_back(raw.made.emplace_back(TRY(bytes_of_contents(input))));
  }
  return raw;
}

}  // namespace

Result<tensors::EncodedBody> http_body(const ModelInferRequest& request) {
  TRY(check_one_way(request));
  const RawInputs raw = TRY(raw_inputs(request));
  JsonWriter json;
  json.begin_object();
  if (!request.id().empty()) json.member("id", request.id());
  json.key("parameters").begin_object();
  append_parameters(json, request.parameters(), "binary_data_output");
  json.member("binary_data_output", true).end_object();
  json.key("inputs").begin_array();
  size_t total = 0;
  for (size_t i = 0; i < raw.bytes.size(); ++i) {
    append_input(json, request.inputs(static_cast<int>(i)), raw.bytes[i].size());
    total += raw.bytes[i].size();
  }
  json.end_array();
  append_outputs(json, request);
  tensors::EncodedBody body;
  body.bytes = json.end_object().take();
  body.json_bytes = body.bytes.size();
  body.bytes.reserve(body.bytes.size() + total);
  for (const std::string_view bytes : raw.bytes) body.bytes += bytes;
  return body;
}

Result<::inference::ModelInferResponse> response_message(const tensors::InferRequest& asked,
                                                         const tensors::InferResponse& response) {
  ::inference::ModelInferResponse message;
  message.set_model_name(response.model_name);
  message.set_model_version(response.model_version);
  message.set_id(response.id);
  (*message.mutable_parameters())["slipway_answer_id"].set_string_param(response.answer.text);
  for (const tensors::Tensor& tensor :
       TRY(tensors::wanted_tensors(tensors::wanted_outputs(asked, response), response))) {
    auto& output = *message.add_outputs();
    output.set_name(tensor.name);
    output.set_datatype(std::string(tensors::name(tensor.type)));
    for (const std::int64_t size : tensor.shape.sizes()) output.add_shape(size);
    message.add_raw_output_contents(tensor.bytes.data(), tensor.bytes.size());
  }
  return message;
}

Result<void> fill(google::protobuf::Message& message, const std::string& json) {
  const auto filled = google::protobuf::util::JsonStringToMessage(json, &message);
  if (filled.ok()) return {};
  return Error{ErrorCode::internal, "the answer is no " + message.GetTypeName() + ": " + std::string(filled.message())};
}

}  // namespace slipway::api::oip

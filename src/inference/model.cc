#include "inference/model.h"

#include <cstring>

#include "base/file.h"
#include "inference/runtime.h"

namespace slipway::inference {
namespace {

struct TypePair {
  DataType ours;
  ONNXTensorElementDataType theirs;
};
constexpr TypePair kTypePairs[] = {
    {DataType::boolean, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},  {DataType::uint8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DataType::uint16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16}, {DataType::uint32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
    {DataType::uint64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64}, {DataType::int8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {DataType::int16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},   {DataType::int32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {DataType::int64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},   {DataType::fp16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DataType::fp32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},    {DataType::fp64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DataType::bf16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16}, {DataType::bytes, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING}};

ONNXTensorElementDataType theirs(DataType type) {
  for (const TypePair& pair : kTypePairs) {
    if (pair.ours == type) return pair.theirs;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

std::optional<DataType> ours(ONNXTensorElementDataType type) {
  for (const TypePair& pair : kTypePairs) {
    if (pair.theirs == type) return pair.ours;
  }
  return std::nullopt;
}

class OrtModel : public Model {
 public:
  OrtModel(const OrtApi& api, OrtOwned<OrtSession> session) : api_(api), session_(std::move(session)) {}

  /// Reads names, datatypes and shapes. Called once after construction.
  Result<void> describe();
  const Signature& signature() const override { return signature_; }
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) override;

 private:
  Result<TensorInfo> describe_one(size_t index, bool input);
  Result<OrtOwned<OrtValue>> value_of(const Tensor& tensor);
  Result<OrtOwned<OrtValue>> string_value_of(const Tensor& tensor);
  Result<Tensor> tensor_of(OrtOwned<OrtValue> value, const TensorInfo& info);
  Result<std::string> strings_of(OrtValue* value, size_t count);

  const OrtApi& api_;
  OrtOwned<OrtSession> session_;
  OrtOwned<OrtMemoryInfo> memory_;
  Signature signature_;
  std::vector<const char*> input_names_, output_names_;
};

Result<TensorInfo> OrtModel::describe_one(size_t index, bool input) {
  OrtAllocator* allocator = nullptr;
  TRY(check_status(api_, api_.GetAllocatorWithDefaultOptions(&allocator), "get an allocator"));
  char* text = nullptr;
  TRY(check_status(api_,
                   input ? api_.SessionGetInputName(session_.get(), index, allocator, &text)
                         : api_.SessionGetOutputName(session_.get(), index, allocator, &text),
                   "read the model's names"));
  TensorInfo info;
  info.name = text;
  TRY(check_status(api_, api_.AllocatorFree(allocator, text), "free a name"));

  OrtTypeInfo* type_info = nullptr;
  TRY(check_status(api_,
                   input ? api_.SessionGetInputTypeInfo(session_.get(), index, &type_info)
                         : api_.SessionGetOutputTypeInfo(session_.get(), index, &type_info),
                   "read the model's types"));
  const OrtOwned<OrtTypeInfo> owned(type_info, api_.ReleaseTypeInfo);
  const OrtTensorTypeAndShapeInfo* tensor_info = nullptr;
  TRY(check_status(api_, api_.CastTypeInfoToTensorInfo(type_info, &tensor_info), "read a tensor's type"));
  const std::string what = std::string(input ? "input" : "output") + " '" + info.name + "' of the model ";
  if (!tensor_info)
    return Error{ErrorCode::unsupported,
                 what + "is no tensor (a sequence, map or optional value); only tensors can be served"};

  ONNXTensorElementDataType type;
  TRY(check_status(api_, api_.GetTensorElementType(tensor_info, &type), "read a datatype"));
  const auto known = ours(type);
  if (!known)
    return Error{ErrorCode::unsupported, what + "has the ONNX element type " + std::to_string(type) +
                                             ", which the inference protocol cannot carry"};
  info.type = *known;
  size_t rank = 0;
  TRY(check_status(api_, api_.GetDimensionsCount(tensor_info, &rank), "read a rank"));
  if (rank > static_cast<size_t>(kRankMax))
    return Error{ErrorCode::unsupported,
                 what + "has " + std::to_string(rank) + " dimensions; the limit is " + std::to_string(kRankMax)};
  std::array<std::int64_t, kRankMax> sizes{};
  TRY(check_status(api_, api_.GetDimensions(tensor_info, sizes.data(), rank), "read a shape"));
  for (size_t i = 0; i < rank; ++i) info.shape.push_back(sizes[i] < 0 ? -1 : sizes[i]);
  return info;
}

Result<void> OrtModel::describe() {
  OrtMemoryInfo* memory = nullptr;
  TRY(check_status(api_, api_.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory), "describe memory"));
  memory_ = OrtOwned<OrtMemoryInfo>(memory, api_.ReleaseMemoryInfo);
  size_t inputs = 0, outputs = 0;
  TRY(check_status(api_, api_.SessionGetInputCount(session_.get(), &inputs), "count inputs"));
  TRY(check_status(api_, api_.SessionGetOutputCount(session_.get(), &outputs), "count outputs"));
  for (size_t i = 0; i < inputs; ++i) signature_.inputs.push_back(TRY(describe_one(i, true)));
  for (size_t i = 0; i < outputs; ++i) signature_.outputs.push_back(TRY(describe_one(i, false)));
  for (const TensorInfo& info : signature_.inputs) input_names_.push_back(info.name.c_str());
  for (const TensorInfo& info : signature_.outputs) output_names_.push_back(info.name.c_str());
  return {};
}

Result<OrtOwned<OrtValue>> OrtModel::string_value_of(const Tensor& tensor) {
  const auto elements = TRY(split_bytes_elements(tensor.bytes, element_count(tensor.shape).value_or(0), tensor.name));
  OrtAllocator* allocator = nullptr;
  TRY(check_status(api_, api_.GetAllocatorWithDefaultOptions(&allocator), "get an allocator"));
  OrtValue* value = nullptr;
  TRY(check_status(api_,
                   api_.CreateTensorAsOrtValue(allocator, tensor.shape.sizes().data(), tensor.shape.sizes().size(),
                                               ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &value),
                   "make a tensor of strings"));
  OrtOwned<OrtValue> owned(value, api_.ReleaseValue);
  for (size_t i = 0; i < elements.size(); ++i) {
    char* place = nullptr;
    TRY(check_status(api_, api_.GetResizedStringTensorElementBuffer(value, i, elements[i].size(), &place),
                     "fill a tensor of strings"));
    std::memcpy(place, elements[i].data(), elements[i].size());
  }
  return owned;
}

Result<OrtOwned<OrtValue>> OrtModel::value_of(const Tensor& tensor) {
  if (tensor.type == DataType::bytes) return string_value_of(tensor);
  OrtValue* value = nullptr;
  // The runtime does not write to inputs; its interface only lacks the const.
  TRY(check_status(api_,
                   api_.CreateTensorWithDataAsOrtValue(memory_.get(), const_cast<char*>(tensor.bytes.data()),
                                                       tensor.bytes.size(), tensor.shape.sizes().data(),
                                                       tensor.shape.sizes().size(), theirs(tensor.type), &value),
                   "take input '" + tensor.name + "'"));
  return OrtOwned<OrtValue>(value, api_.ReleaseValue);
}

Result<std::string> OrtModel::strings_of(OrtValue* value, size_t count) {
  std::string bytes, element;
  for (size_t i = 0; i < count; ++i) {
    size_t size = 0;
    TRY(check_status(api_, api_.GetStringTensorElementLength(value, i, &size), "read a string"));
    element.resize(size);
    TRY(check_status(api_, api_.GetStringTensorElement(value, size, i, element.data()), "read a string"));
    const auto length = static_cast<std::uint32_t>(size);
    bytes.append(reinterpret_cast<const char*>(&length), sizeof length).append(element);
  }
  return bytes;
}

Result<Tensor> OrtModel::tensor_of(OrtOwned<OrtValue> value, const TensorInfo& info) {
  OrtTensorTypeAndShapeInfo* shape_info = nullptr;
  TRY(check_status(api_, api_.GetTensorTypeAndShape(value.get(), &shape_info), "read an output's shape"));
  const OrtOwned<OrtTensorTypeAndShapeInfo> owned(shape_info, api_.ReleaseTensorTypeAndShapeInfo);
  size_t rank = 0, count = 0;
  TRY(check_status(api_, api_.GetDimensionsCount(shape_info, &rank), "read an output's shape"));
  if (rank > static_cast<size_t>(kRankMax))
    return Error{ErrorCode::unsupported, "output '" + info.name + "' has " + std::to_string(rank) +
                                             " dimensions; the limit is " + std::to_string(kRankMax)};
  std::array<std::int64_t, kRankMax> sizes{};
  TRY(check_status(api_, api_.GetDimensions(shape_info, sizes.data(), rank), "read an output's shape"));
  TRY(check_status(api_, api_.GetTensorShapeElementCount(shape_info, &count), "read an output's size"));
  Tensor tensor{info.name, info.type, {}, {}, {}};
  for (size_t i = 0; i < rank; ++i) tensor.shape.push_back(sizes[i]);
  if (info.type == DataType::bytes)
    return Tensor::owning(info.name, info.type, tensor.shape, TRY(strings_of(value.get(), count)));

  void* data = nullptr;
  TRY(check_status(api_, api_.GetTensorMutableData(value.get(), &data), "read an output"));
  tensor.bytes = {static_cast<const char*>(data), count * element_bytes(info.type)};
  tensor.owner = std::make_shared<const OrtOwned<OrtValue>>(std::move(value));
  return tensor;
}

Result<std::vector<Tensor>> OrtModel::run(std::span<const Tensor> inputs) {
  std::vector<OrtOwned<OrtValue>> values;
  std::vector<const OrtValue*> pointers;
  values.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    values.push_back(TRY(value_of(input)));
    pointers.push_back(values.back().get());
  }
  std::vector<OrtValue*> results(output_names_.size(), nullptr);
  OrtStatus* status = api_.Run(session_.get(), nullptr, input_names_.data(), pointers.data(), pointers.size(),
                               output_names_.data(), output_names_.size(), results.data());
  std::vector<OrtOwned<OrtValue>> owned;
  for (OrtValue* result : results) owned.emplace_back(result, api_.ReleaseValue);
  TRY(check_status(api_, status, "run the model"));
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < owned.size(); ++i)
    outputs.push_back(TRY(tensor_of(std::move(owned[i]), signature_.outputs[i])));
  return outputs;
}

Result<OrtOwned<OrtSessionOptions>> session_options(const OrtApi& api, const ModelOptions& options) {
  OrtSessionOptions* made = nullptr;
  TRY(check_status(api, api.CreateSessionOptions(&made), "make session options"));
  OrtOwned<OrtSessionOptions> owned(made, api.ReleaseSessionOptions);
  TRY(check_status(api, api.SetIntraOpNumThreads(made, options.threads), "set threads"));
  TRY(check_status(api, api.SetInterOpNumThreads(made, 1), "set threads"));
  TRY(check_status(api, api.SetSessionGraphOptimizationLevel(made, ORT_ENABLE_ALL), "set optimisations"));
  // Threads that spin between runs would take the cores from other replicas.
  TRY(check_status(api, api.AddSessionConfigEntry(made, "session.intra_op.allow_spinning", "0"), "set spinning"));
  return owned;
}

/// The runtime names the whole path, which says nothing to whoever deployed the model.
std::string without_folder(std::string message, const std::filesystem::path& file) {
  const std::string folder = file.parent_path().string() + "/";
  for (size_t at; folder.size() > 1 && (at = message.find(folder)) != std::string::npos;)
    message.erase(at, folder.size());
  return message;
}

}  // namespace

Result<std::unique_ptr<Model>> Model::load(const std::filesystem::path& file, const ModelOptions& options) {
  if (!std::filesystem::is_regular_file(file))
    return Error{ErrorCode::not_found, "there is no model file " + file.string()};
  const Runtime* loaded = TRY(runtime());
  const OrtApi& api = *loaded->api;
  const auto settings = TRY(session_options(api, options));
  OrtSession* session = nullptr;
  auto created = check_status(api, api.CreateSession(loaded->environment, file.c_str(), settings.get(), &session),
                              "load the model " + file.filename().string());
  // Whatever the runtime calls it, a file that does not load is the caller's.
  if (!created.ok()) return Error{ErrorCode::invalid_argument, without_folder(created.error().message, file)};
  auto model = std::make_unique<OrtModel>(api, OrtOwned<OrtSession>(session, api.ReleaseSession));
  TRY(model->describe());
  return std::unique_ptr<Model>(std::move(model));
}

std::vector<Tensor> zero_inputs(const Signature& signature) {
  std::vector<Tensor> inputs;
  for (const TensorInfo& info : signature.inputs) {
    Shape shape = info.shape;
    for (int i = 0; i < shape.rank(); ++i) shape[i] = shape[i] < 0 ? 1 : shape[i];
    const size_t size = info.type == DataType::bytes ? sizeof(std::uint32_t) : element_bytes(info.type);
    inputs.push_back(
        Tensor::owning(info.name, info.type, shape, std::string(element_count(shape).value_or(0) * size, '\0')));
  }
  return inputs;
}

}  // namespace slipway::inference

// Tensors as the Open Inference Protocol has them: a name, a datatype, a shape, and bytes in row-major order, little
// endian. BYTES elements are each a 32-bit length and that many bytes.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace slipway::inference {

enum class DataType : std::uint8_t {
  boolean,
  uint8,
  uint16,
  uint32,
  uint64,
  int8,
  int16,
  int32,
  int64,
  fp16,
  fp32,
  fp64,
  bf16,
  bytes
};

/// "BOOL", "UINT8" … "FP32", "BF16", "BYTES".
std::string_view name(DataType type);
std::optional<DataType> parse_data_type(std::string_view text);
/// Bytes of one element; 0 for BYTES.
size_t element_bytes(DataType type);

inline constexpr int kRankMax = 8;

/// Sizes of up to kRankMax dimensions. -1 stands in signatures only and means "any".
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) {
    for (const std::int64_t size : sizes) push_back(size);
  }

  int rank() const { return rank_; }
  std::int64_t operator[](int i) const { return sizes_[static_cast<size_t>(i)]; }
  std::int64_t& operator[](int i) { return sizes_[static_cast<size_t>(i)]; }
  /// False when it is full.
  bool push_back(std::int64_t size) {
    if (rank_ == kRankMax) return false;
    sizes_[static_cast<size_t>(rank_++)] = size;
    return true;
  }
  std::span<const std::int64_t> sizes() const { return {sizes_.data(), static_cast<size_t>(rank_)}; }
  bool operator==(const Shape& other) const;

 private:
  int rank_ = 0;
  std::array<std::int64_t, kRankMax> sizes_{};
};

/// "[-1,784]".
std::string render(const Shape& shape);
/// The product of the sizes; nullopt when a size is negative or the product is over 2^40.
std::optional<std::uint64_t> element_count(const Shape& shape);

struct TensorInfo {
  std::string name;
  DataType type = DataType::fp32;
  Shape shape;  // -1: any

  bool operator==(const TensorInfo&) const = default;
};

/// What a model takes and gives.
struct Signature {
  std::vector<TensorInfo> inputs, outputs;

  /// The first dimension of everything is open and rows have one size (no BYTES), so several requests can be one.
  bool is_batchable() const;
  bool operator==(const Signature&) const = default;
};

/// {"inputs":[{"name","datatype","shape"}],"outputs":[…]} and back; other members are ignored.
Json render(const Signature& signature);
Result<Signature> parse_signature(const Json& json);

/// `owner` keeps `bytes` alive; copies share it.
struct Tensor {
  std::string name;
  DataType type = DataType::fp32;
  Shape shape;
  std::string_view bytes;
  std::shared_ptr<const void> owner;

  static Tensor owning(std::string name, DataType type, Shape shape, std::string bytes);
};

/// Elements of a BYTES tensor; invalid_argument when the lengths do not fit the bytes or there are not `count`
/// elements.
Result<std::vector<std::string_view>> split_bytes_elements(std::string_view bytes, std::uint64_t count,
                                                           std::string_view tensor_name);

/// Puts `inputs` into the order of the signature and holds each against it: name, datatype, shape, number of bytes. The
/// error names the tensor, what was found and what is expected.
Result<void> check_inputs(const Signature& signature, std::vector<Tensor>& inputs);

}  // namespace slipway::inference

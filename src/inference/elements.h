// Elements of tensors as JSON: inside the codec only.
#pragma once

#include <simdjson.h>

#include <string>

#include "inference/tensor.h"

namespace slipway::inference {

/// The bytes of tensor `name` from its JSON "data", flat or nested. Values must fit the datatype; their number must be
/// `count`.
Result<std::string> bytes_from_json(simdjson::dom::element data, DataType type, std::uint64_t count,
                                    std::string_view tensor_name);

/// Appends "[v,v,…]". FP16 and BF16 never come here. Strings of BYTES that are no valid UTF-8 are repaired.
void append_json_elements(std::string& out, DataType type, std::string_view bytes);

/// Half precision and bfloat16 as float.
float half_to_float(std::uint16_t half);
inline float bfloat_to_float(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value;
  __builtin_memcpy(&value, &wide, sizeof value);
  return value;
}

}  // namespace slipway::inference

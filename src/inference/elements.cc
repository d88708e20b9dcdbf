#include "inference/elements.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace slipway::inference {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr int kNestingMax = kRankMax + 1;

/// Appends elements of one datatype, remembering the first thing that was wrong.
class Collector {
 public:
  Collector(DataType type, std::uint64_t count, std::string_view tensor_name)
      : type_(type), count_(count), tensor_name_(tensor_name) {
    // A shape is the client's claim; do not reserve gigabytes on its word.
    bytes_.reserve(std::min<std::uint64_t>(count * std::max<size_t>(element_bytes(type), 4), 1 << 20));
  }

  bool take(element value, int depth) {
    if (value.type() != element_type::ARRAY) return take_one(value);
    if (depth == kNestingMax) return fail("is nested deeper than " + std::to_string(kRankMax) + " dimensions");
    simdjson::dom::array items;
    if (value.get_array().get(items) != simdjson::SUCCESS) return wrong(value);
    for (const element inner : items) {
      if (!take(inner, depth + 1)) return false;
    }
    return true;
  }

  Result<std::string> finish() {
    if (problem_.empty() && taken_ != count_)
      fail("has " + std::to_string(taken_) + " values; its shape needs " + std::to_string(count_));
    if (!problem_.empty())
      return Error{ErrorCode::invalid_argument, "'data' of input '" + std::string(tensor_name_) + "' " + problem_};
    return std::move(bytes_);
  }

 private:
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool wrong(element value) {
    return fail("holds " + std::string(simdjson::minify(value)).substr(0, 60) + " at position " +
                std::to_string(taken_) + ", which is no " + std::string(name(type_)));
  }

  template <typename T>
  bool put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    ++taken_;
    return true;
  }

  template <typename T>
  bool take_integer(element value) {
    std::int64_t small;
    std::uint64_t large;
    double real;
    if (value.get_int64().get(small) == simdjson::SUCCESS) {
      if (!std::in_range<T>(small)) return wrong(value);
      return put(static_cast<T>(small));
    }
    if (value.get_uint64().get(large) == simdjson::SUCCESS) {
      if (!std::in_range<T>(large)) return wrong(value);
      return put(static_cast<T>(large));
    }
    // 7.0 is seven; JavaScript and some JSON writers make no difference.
    if (value.get_double().get(real) != simdjson::SUCCESS || real != std::floor(real) ||
        std::abs(real) >= 9.007199254740992e15)
      return wrong(value);
    const auto whole = static_cast<std::int64_t>(real);
    if (!std::in_range<T>(whole)) return wrong(value);
    return put(static_cast<T>(whole));
  }

  bool take_one(element value) {
    if (taken_ == count_) return fail("has more values than its shape needs, which is " + std::to_string(count_));
    switch (type_) {
      case DataType::boolean: {
        bool truth;
        if (value.get_bool().get(truth) != simdjson::SUCCESS) return wrong(value);
        return put(static_cast<std::uint8_t>(truth));
      }
      case DataType::uint8: return take_integer<std::uint8_t>(value);
      case DataType::uint16: return take_integer<std::uint16_t>(value);
      case DataType::uint32: return take_integer<std::uint32_t>(value);
      case DataType::uint64: return take_integer<std::uint64_t>(value);
      case DataType::int8: return take_integer<std::int8_t>(value);
      case DataType::int16: return take_integer<std::int16_t>(value);
      case DataType::int32: return take_integer<std::int32_t>(value);
      case DataType::int64: return take_integer<std::int64_t>(value);
      case DataType::fp32: {
        double real;
        if (value.get_double().get(real) != simdjson::SUCCESS || std::abs(real) > std::numeric_limits<float>::max())
          return wrong(value);
        return put(static_cast<float>(real));
      }
      case DataType::fp64: {
        double real;
        if (value.get_double().get(real) != simdjson::SUCCESS) return wrong(value);
        return put(real);
      }
      case DataType::bytes: {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) return wrong(value);
        const auto length = static_cast<std::uint32_t>(text.size());
        bytes_.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
        ++taken_;
        return true;
      }
      case DataType::fp16:
      case DataType::bf16: break;
    }
    return fail("cannot be " + std::string(name(type_)) + ": JSON has no such numbers; send this input as binary data");
  }

  const DataType type_;
  const std::uint64_t count_;
  const std::string_view tensor_name_;
  std::string bytes_;
  std::uint64_t taken_ = 0;
  std::string problem_;
};

template <typename T>
T element_at(std::string_view bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return value;
}

template <typename T>
void append_numbers(std::string& out, std::string_view bytes) {
  char text[40];
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    if (i > 0) out += ',';
    const T value = element_at<T>(bytes, i);
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) {
        out += "null";
        continue;
      }
    }
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  }
}

void append_bools(std::string& out, std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i)
    out += i > 0 ? (bytes[i] ? ",true" : ",false") : (bytes[i] ? "true" : "false");
}

void append_strings(std::string& out, std::string_view bytes) {
  for (bool first = true; bytes.size() >= sizeof(std::uint32_t); first = false) {
    const auto length = std::min<size_t>(element_at<std::uint32_t>(bytes, 0), bytes.size() - sizeof(std::uint32_t));
    if (!first) out += ',';
    append_json_string(out, clean_utf8(bytes.substr(sizeof(std::uint32_t), length)));
    bytes.remove_prefix(sizeof(std::uint32_t) + length);
  }
}

}  // namespace

Result<std::string> bytes_from_json(element data, DataType type, std::uint64_t count, std::string_view tensor_name) {
  Collector collector(type, count, tensor_name);
  if (data.type() != element_type::ARRAY)
    return Error{ErrorCode::invalid_argument,
                 "'data' of input '" + std::string(tensor_name) + "' must be an array of values"};
  collector.take(data, 0);
  return collector.finish();
}

void append_json_elements(std::string& out, DataType type, std::string_view bytes) {
  out += '[';
  switch (type) {
    case DataType::boolean: append_bools(out, bytes); break;
    case DataType::uint8: append_numbers<std::uint8_t>(out, bytes); break;
    case DataType::uint16: append_numbers<std::uint16_t>(out, bytes); break;
    case DataType::uint32: append_numbers<std::uint32_t>(out, bytes); break;
    case DataType::uint64: append_numbers<std::uint64_t>(out, bytes); break;
    case DataType::int8: append_numbers<std::int8_t>(out, bytes); break;
    case DataType::int16: append_numbers<std::int16_t>(out, bytes); break;
    case DataType::int32: append_numbers<std::int32_t>(out, bytes); break;
    case DataType::int64: append_numbers<std::int64_t>(out, bytes); break;
    case DataType::fp32: append_numbers<float>(out, bytes); break;
    case DataType::fp64: append_numbers<double>(out, bytes); break;
    case DataType::bytes: append_strings(out, bytes); break;
    case DataType::fp16:
    case DataType::bf16: CHECK(false, "16-bit floats are refused before they are written as JSON");
  }
  out += ']';
}

float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  const float sign = half & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

}  // namespace slipway::inference

// JSON: a small tree to read, an appender to write. The hottest paths of the server read with simdjson instead.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace slipway {

/// A JSON value. Objects keep the order of their keys; of a repeated key the last one counts.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool v) : value_(v) {}
  Json(int v) : value_(static_cast<std::int64_t>(v)) {}
  Json(std::int64_t v) : value_(v) {}
  Json(std::uint64_t v);
  Json(double v) : value_(v) {}
  Json(const char* v) : value_(std::string(v)) {}
  Json(std::string_view v) : value_(std::string(v)) {}
  Json(std::string v) : value_(std::move(v)) {}
  Json(Array v) : value_(std::move(v)) {}
  Json(Object v) : value_(std::move(v)) {}

  /// Reads one JSON document, whole. Nesting deeper than kJsonDepthMax, invalid UTF-8 and trailing text are errors with
  /// code invalid_argument. The bare tokens NaN, Infinity and -Infinity, which Python writes, are taken as doubles.
  static Result<Json> parse(std::string_view text);
  std::string render() const;

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  /// "null", "boolean", "integer", "number", "string", "array" or "object", for error messages.
  const char* type_name() const;

  /// The value if it has that type, else nullopt. A double with a whole value counts as an integer.
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;
  /// Empty unless a string / array / object.
  const std::string& string() const;
  const Array& array() const;
  const Object& object() const;

  /// The member of an object, or nullptr (also when this is no object).
  const Json* find(std::string_view key) const;
  /// The member of an object, or null.
  const Json& operator[](std::string_view key) const;
  /// Sets a member; makes an object of a null.
  Json& set(std::string key, Json value);
  /// Appends to an array; makes an array of a null.
  Json& push(Json value);

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value_ = nullptr;
};

inline constexpr int kJsonDepthMax = 64;

/// Writes JSON by appending to a string, commas and all:
///   JsonWriter json; json.begin_object().key("id").value(id).key("steps").begin_array()....end_array().end_object();
/// Strings that are no valid UTF-8 are repaired; doubles are shortest round trip; NaN and infinities become strings
/// ("NaN", "Infinity", "-Infinity").
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view key);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(double number);
  JsonWriter& value(bool truth);
  JsonWriter& value(const Json& json);
  JsonWriter& null();
  /// Text that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <typename T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }
  size_t size() const { return out_.size(); }

 private:
  void separate();

  std::string out_;
  bool needs_comma_ = false;
};

/// Appends `text` as a quoted JSON string.
void append_json_string(std::string& out, std::string_view text);

}  // namespace slipway

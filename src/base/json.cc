#include "base/json.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace slipway {

namespace {

constexpr size_t kDoubleCharactersMax = 32;  // "-2.2250738585072014e-308" has 24
constexpr size_t kShortBytes = 60;

}  // namespace

Json::Json(std::uint64_t v) {
  if (v <= static_cast<std::uint64_t>(INT64_MAX)) {
    value_ = static_cast<std::int64_t>(v);
  } else {
    value_ = static_cast<double>(v);
  }
}

std::string Json::render() const {
  JsonWriter writer;
  writer.value(*this);
  return writer.take();
}

const char* Json::type_name() const {
  static constexpr const char* kNames[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  return kNames[value_.index()];
}

std::optional<bool> Json::boolean() const {
  if (const bool* v = std::get_if<bool>(&value_)) return *v;
  return std::nullopt;
}

std::optional<std::int64_t> Json::integer() const {
  if (const auto* v = std::get_if<std::int64_t>(&value_)) return *v;
  if (const auto* v = std::get_if<double>(&value_)) {
    if (std::trunc(*v) == *v && std::abs(*v) < 9.2e18) return static_cast<std::int64_t>(*v);
  }
  return std::nullopt;
}

std::optional<double> Json::number() const {
  if (const auto* v = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*v);
  if (const auto* v = std::get_if<double>(&value_)) return *v;
  return std::nullopt;
}

const std::string& Json::string() const {
  static const std::string empty;
  const auto* v = std::get_if<std::string>(&value_);
  return v ? *v : empty;
}

const Json::Array& Json::array() const {
  static const Array empty;
  const auto* v = std::get_if<Array>(&value_);
  return v ? *v : empty;
}

const Json::Object& Json::object() const {
  static const Object empty;
  const auto* v = std::get_if<Object>(&value_);
  return v ? *v : empty;
}

const Json* Json::find(std::string_view key) const {
  for (const auto& [name, member] : object()) {
    if (name == key) return &member;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json null;
  const Json* member = find(key);
  return member ? *member : null;
}

Json& Json::set(std::string key, Json value) {
  if (!is_object()) value_ = Object{};
  auto& members = std::get<Object>(value_);
  for (auto& [name, member] : members) {
    if (name == key) {
      member = std::move(value);
      return *this;
    }
  }
  members.emplace_back(std::move(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

namespace {

constexpr std::uint64_t each_byte(unsigned char byte) { return 0x0101'0101'0101'0101 * std::uint64_t{byte}; }

/// Whether a byte stands for itself in a JSON string.
bool is_plain(char c) { return static_cast<unsigned char>(c - 0x20) < 0x60 && c != '"' && c != '\\'; }

/// The same of eight at once: the high bit of each byte says whether it does not.
bool are_plain(std::uint64_t bytes) {
  const auto has_zero = [](std::uint64_t x) { return (x - each_byte(1)) & ~x; };
  const std::uint64_t is_control = bytes - each_byte(0x20);
  const std::uint64_t not_plain =
      bytes | is_control | has_zero(bytes ^ each_byte('"')) | has_zero(bytes ^ each_byte('\\'));
  return (not_plain & each_byte(0x80)) == 0;
}

template <typename Unsigned>
Unsigned load(const char* at) {
  Unsigned bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

bool are_plain(std::string_view text) {
  for (; text.size() > sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    if (!are_plain(load<std::uint64_t>(text.data()))) return false;
  }
  if (text.size() < sizeof(std::uint32_t)) return std::all_of(text.begin(), text.end(), is_plain);
  // The first four and the last four of what is left; they may overlap.
  const auto first = load<std::uint32_t>(text.data());
  const auto last = load<std::uint32_t>(text.data() + text.size() - sizeof first);
  return are_plain(std::uint64_t{first} << 32 | last);
}

/// A short text with the comma before it and what is around it, appended in one step.
class Piece {
 public:
  explicit Piece(bool comma) {
    if (comma) add(',');
  }
  Piece& add(char c) {
    *end_++ = c;
    return *this;
  }
  Piece& add(std::string_view text) {
    end_ = std::copy(text.begin(), text.end(), end_);
    return *this;
  }
  void append_to(std::string& out) const { out.append(bytes_, static_cast<size_t>(end_ - bytes_)); }

 private:
  char bytes_[kShortBytes + 3];
  char* end_ = bytes_;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (are_plain(text)) {  // nearly always
    out += '"';
    out += text;
    out += '"';
    return;
  }
  if (!is_utf8(text)) return append_json_string(out, clean_utf8(text));
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[(c >> 4) & 15];
          out += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_ += '{';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_ += '}';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  out_ += '[';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_ += ']';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view key) {
  value(key);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  if (text.size() > kShortBytes || !are_plain(text)) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  Piece piece(needs_comma_);
  piece.add('"').add(text).add('"').append_to(out_);
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
  const fmt::format_int digits(number);
  return raw({digits.data(), digits.size()});
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  const fmt::format_int digits(number);
  return raw({digits.data(), digits.size()});
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return value(render_double(number));
  char digits[kDoubleCharactersMax];
  char* end = fmt::format_to(digits, FMT_COMPILE("{}"), number);
  // A whole double keeps its ".0", so that readers see a number with a fraction, not an integer.
  const bool is_whole = std::none_of(digits, end, [](char c) { return c == '.' || c == 'e'; });
  for (const char c : std::string_view(is_whole ? ".0" : "")) *end++ = c;
  return raw({digits, static_cast<size_t>(end - digits)});
}

JsonWriter& JsonWriter::value(bool truth) {
  separate();
  out_ += truth ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::value(const Json& json) {
  if (json.is_array()) {
    begin_array();
    for (const Json& item : json.array()) value(item);
    return end_array();
  }
  if (json.is_object()) {
    begin_object();
    for (const auto& [name, member] : json.object()) key(name).value(member);
    return end_object();
  }
  if (json.is_string()) return value(json.string());
  if (json.is_bool()) return value(*json.boolean());
  if (json.is_integer()) return value(*json.integer());
  if (json.is_number()) return value(*json.number());
  return null();
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  if (json.size() > kShortBytes) {
    separate();
    out_ += json;
    return *this;
  }
  Piece piece(needs_comma_);
  piece.add(json).append_to(out_);
  needs_comma_ = true;
  return *this;
}

}  // namespace slipway

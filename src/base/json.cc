#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <unordered_map>

#include "base/random.h"
#include "base/text.h"

namespace slipway {
namespace {

/// Turns simdjson's tree into ours. `mark` begins the strings that stand for NaN and the infinities; empty: there are none.
class Converter {
 public:
  explicit Converter(std::string_view mark = {}) : mark_(mark) {}

  Json convert(const simdjson::dom::element& element) {
    switch (element.type()) {
      case simdjson::dom::element_type::ARRAY: return convert_array(element.get_array().value_unsafe());
      case simdjson::dom::element_type::OBJECT: return convert_object(element.get_object().value_unsafe());
      case simdjson::dom::element_type::INT64: return element.get_int64().value_unsafe();
      case simdjson::dom::element_type::UINT64: return element.get_uint64().value_unsafe();
      case simdjson::dom::element_type::DOUBLE: return element.get_double().value_unsafe();
      case simdjson::dom::element_type::STRING: return convert_string(element.get_string().value_unsafe());
      case simdjson::dom::element_type::BOOL: return element.get_bool().value_unsafe();
      case simdjson::dom::element_type::NULL_VALUE: return nullptr;
    }
    return nullptr;
  }
  /// A NaN stood where only a string may stand.
  bool met_number_as_key() const { return met_number_as_key_; }

 private:
  bool is_marked(std::string_view text) const { return !mark_.empty() && text.starts_with(mark_); }

  Json convert_string(std::string_view text) const {
    if (is_marked(text)) return parse_double(text.substr(mark_.size())).value_or(0);
    return std::string(text);
  }
  Json convert_array(const simdjson::dom::array& items) {
    Json::Array array;
    for (const auto& item : items) array.push_back(convert(item));
    return array;
  }
  Json convert_object(const simdjson::dom::object& members) {
    Json::Object object;
    std::unordered_map<std::string_view, size_t> places;  // so that a body of many keys costs no square of them
    for (const auto& member : members) {
      met_number_as_key_ |= is_marked(member.key);
      const auto [place, is_new] = places.try_emplace(member.key, object.size());
      if (is_new) {
        object.emplace_back(std::string(member.key), convert(member.value));
      } else {
        object[place->second].second = convert(member.value);
      }
    }
    return object;
  }

  const std::string_view mark_;
  bool met_number_as_key_ = false;
};

/// What stands before a quoted NaN or infinity. Random, so that no client can send a string that is taken for one.
const std::string& number_mark() {
  static const std::string mark = "number-" + random_hex(16) + ":";
  return mark;
}

/// `text` with the bare tokens NaN, Infinity and -Infinity outside of strings as marked strings; nullopt without any.
std::optional<std::string> quote_bare_numbers(std::string_view text) {
  std::string out;
  bool in_string = false, changed = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < text.size()) out += text[++i];
      if (c == '"') in_string = false;
      continue;
    }
    std::string_view token;
    for (std::string_view candidate : {"NaN", "Infinity", "-Infinity"}) {
      if (text.substr(i).starts_with(candidate)) token = candidate;
    }
    if (!token.empty()) {
      out.append("\"").append(number_mark()).append(token).append("\"");
      i += token.size() - 1;
      changed = true;
    } else {
      out += c;
      in_string = c == '"';
    }
  }
  return changed ? std::optional(out) : std::nullopt;
}

}  // namespace

Json::Json(std::uint64_t v) {
  if (v <= static_cast<std::uint64_t>(INT64_MAX)) {
    value_ = static_cast<std::int64_t>(v);
  } else {
    value_ = static_cast<double>(v);
  }
}

Result<Json> Json::parse(std::string_view text) {
  simdjson::dom::parser parser;
  if (parser.allocate(std::max<size_t>(text.size(), 64), kJsonDepthMax) != simdjson::SUCCESS) {
    return Error{ErrorCode::too_large, "the JSON document is too large to read"};
  }
  auto document = parser.parse(text.data(), text.size());
  if (document.error() == simdjson::SUCCESS) return Converter().convert(document.value_unsafe());
  if (const auto quoted = quote_bare_numbers(text)) {
    auto again = parser.parse(quoted->data(), quoted->size());
    if (again.error() == simdjson::SUCCESS) {
      Converter converter(number_mark());
      Json json = converter.convert(again.value_unsafe());
      if (!converter.met_number_as_key()) return json;
    }
  }
  return Error{ErrorCode::invalid_argument,
               fmt::format("not valid JSON: {}", simdjson::error_message(document.error()))};
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

void append_json_string(std::string& out, std::string_view text) {
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
  separate();
  append_json_string(out_, key);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return value(render_double(number));
  separate();
  // A whole double keeps its ".0", so that readers see a number with a fraction, not an integer.
  const auto start = out_.size();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  if (out_.find_first_of(".e", start) == std::string::npos) out_ += ".0";
  return *this;
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
  separate();
  out_ += json;
  return *this;
}

}  // namespace slipway

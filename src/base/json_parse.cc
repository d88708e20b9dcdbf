// Reading JSON (RFC 8259). Straight descent over the text; nesting is bounded, so the stack is. No library: the command
// line is linked statically, and the common parsers come as shared libraries only.
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <unordered_map>

#include "base/json.h"
#include "base/text.h"

namespace slipway {
namespace {

constexpr size_t kFewKeys = 16;  // up to here looking through all keys is faster than an index of them

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  Result<Json> document() {
    Json json;
    if (!value(json, 0)) return failure();
    skip_space();
    if (at_ != end_ && !fail("text follows the document")) return failure();
    return json;
  }

 private:
  Error failure() const {
    return {ErrorCode::invalid_argument,
            std::string("not valid JSON: ") + problem_ + " at byte " + std::to_string(at_ - begin_)};
  }

  bool fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool value(Json& out, int depth) {
    skip_space();
    if (at_ == end_) return fail("a value is missing");
    switch (*at_) {
      case '{': return object(out, depth + 1);
      case '[': return array(out, depth + 1);
      case '"': {
        std::string text;
        if (!string(text)) return false;
        out = Json(std::move(text));
        return true;
      }
      case 't': return word("true", Json(true), out);
      case 'f': return word("false", Json(false), out);
      case 'n': return word("null", Json(), out);
      case 'N': return word("NaN", Json(std::numeric_limits<double>::quiet_NaN()), out);
      case 'I': return word("Infinity", Json(std::numeric_limits<double>::infinity()), out);
      default: return number(out);
    }
  }

  bool word(std::string_view word, Json json, Json& out) {
    if (!take_word(word)) return fail("an unknown word");
    out = std::move(json);
    return true;
  }

  bool array(Json& out, int depth) {
    if (depth > kJsonDepthMax) return fail("it is nested too deeply");
    ++at_;
    Json::Array items;
    skip_space();
    if (!take(']')) {
      do {
        if (!value(items.emplace_back(), depth)) return false;
        skip_space();
      } while (take(','));
      if (!take(']')) return fail("expected ',' or ']'");
    }
    out = Json(std::move(items));
    return true;
  }

  bool object(Json& out, int depth) {
    if (depth > kJsonDepthMax) return fail("it is nested too deeply");
    ++at_;
    Json::Object members;
    std::unordered_map<std::string, size_t> places;  // only of many keys
    skip_space();
    if (!take('}')) {
      do {
        skip_space();
        std::string key;
        if (at_ == end_ || *at_ != '"') return fail("expected a key in quotes");
        if (!string(key)) return false;
        skip_space();
        if (!take(':')) return fail("expected ':' after a key");
        if (!value(place_of(members, places, std::move(key)), depth)) return false;
        skip_space();
      } while (take(','));
      if (!take('}')) return fail("expected ',' or '}'");
    }
    out = Json(std::move(members));
    return true;
  }

  /// Where the value of this key goes: of a repeated key the last value counts, at the first one's place.
  static Json& place_of(Json::Object& members, std::unordered_map<std::string, size_t>& places, std::string key) {
    if (members.size() < kFewKeys) {
      for (auto& [name, json] : members) {
        if (name == key) return json;
      }
    } else {
      if (places.empty()) {
        for (size_t i = 0; i < members.size(); ++i) places.emplace(members[i].first, i);
      }
      const auto [place, is_new] = places.try_emplace(key, members.size());
      if (!is_new) return members[place->second].second;
    }
    return members.emplace_back(std::move(key), Json()).second;
  }

  bool string(std::string& out) {
    ++at_;
    bool is_ascii = true;
    while (true) {
      const char* const from = at_;
      while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20)
        is_ascii &= static_cast<unsigned char>(*at_++) < 0x80;
      out.append(from, at_);
      if (at_ == end_) return fail("a string does not end");
      if (take('"')) break;
      if (*at_ != '\\') return fail("a control character in a string");
      ++at_;
      if (!escape(out)) return false;
    }
    return is_ascii || is_utf8(out) || fail("a string is not valid UTF-8");
  }

  bool escape(std::string& out) {
    if (at_ == end_) return fail("a string does not end");
    switch (*at_++) {
      case '"': out += '"'; return true;
      case '\\': out += '\\'; return true;
      case '/': out += '/'; return true;
      case 'b': out += '\b'; return true;
      case 'f': out += '\f'; return true;
      case 'n': out += '\n'; return true;
      case 'r': out += '\r'; return true;
      case 't': out += '\t'; return true;
      case 'u': break;
      default: return fail("an unknown escape in a string");
    }
    unsigned code = 0, low = 0;
    if (!hex4(code)) return false;
    if (code >= 0xdc00 && code < 0xe000) return fail("half of a character in a string");
    if (code >= 0xd800 && code < 0xdc00) {
      if (!take_word("\\u")) return fail("half of a character in a string");
      if (!hex4(low)) return false;
      if (low < 0xdc00 || low >= 0xe000) return fail("half of a character in a string");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return true;
  }

  bool hex4(unsigned& code) {
    if (end_ - at_ < 4) return fail("a string does not end");
    const auto [stop, problem] = std::from_chars(at_, at_ + 4, code, 16);
    if (problem != std::errc() || stop != at_ + 4) return fail("expected four hexadecimal digits after \\u");
    at_ = stop;
    return true;
  }

  bool digits() {
    const char* const from = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != from;
  }

  bool number(Json& out) {
    const char* const from = at_;
    const bool is_negative = take('-');
    if (is_negative && take_word("Infinity")) {
      out = Json(-std::numeric_limits<double>::infinity());
      return true;
    }
    const bool begins_with_zero = at_ != end_ && *at_ == '0';
    const char* const whole = at_;
    if (!digits()) return fail("expected a value");
    if (begins_with_zero && at_ - whole > 1) return fail("a number begins with 0");
    bool is_integer = true;
    if (take('.')) {
      is_integer = false;
      if (!digits()) return fail("a number ends with '.'");
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      is_integer = false;
      if (!take('-')) take('+');
      if (!digits()) return fail("a number without its exponent");
    }
    return is_integer ? integer(from, is_negative, out) : real(from, out);
  }

  bool integer(const char* from, bool is_negative, Json& out) {
    std::int64_t small = 0;
    if (std::from_chars(from, at_, small).ec == std::errc()) {
      out = Json(small);
      return true;
    }
    std::uint64_t large = 0;
    if (is_negative || std::from_chars(from, at_, large).ec != std::errc())
      return fail("an integer of more than 64 bits");
    out = Json(large);
    return true;
  }

  bool real(const char* from, Json& out) {
    double parsed = 0;
    if (std::from_chars(from, at_, parsed).ec == std::errc::result_out_of_range) {
      parsed = std::strtod(std::string(from, at_).c_str(), nullptr);  // too small is 0, too large is no number
      if (std::isinf(parsed)) return fail("a number too large for a double");
    }
    out = Json(parsed);
    return true;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const char* problem_ = "";
};

}  // namespace

Result<Json> Json::parse(std::string_view text) { return Parser(text).document(); }

}  // namespace slipway

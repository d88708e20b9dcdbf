// Patterns of paths with {fields}: "raw/{site}/{frame}.jpg".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::data {

using Fields = std::map<std::string, std::string, std::less<>>;

/// A field stands for one or more characters other than '/'; where several ways fit, earlier fields take as little as
/// they can. The same field twice must have the same value. A '*' stands for any characters other than '/', also none,
/// and is not kept.
class Pattern {
 public:
  /// invalid_argument for unbalanced or empty braces and for two fields without anything between them.
  static Result<Pattern> parse(std::string_view text);

  std::optional<Fields> match(std::string_view path) const;
  /// The text with every field's value in its place; invalid_argument names a field without one.
  Result<std::string> fill(const Fields& fields) const;

  const std::string& text() const { return text_; }
  const std::vector<std::string>& fields() const { return fields_; }
  bool has_field(std::string_view name) const;

 private:
  struct Part {
    enum class Kind { literal, field, any } kind = Kind::literal;
    std::string text;
  };
  bool match_from(size_t part, std::string_view rest, Fields& found) const;

  std::string text_;
  std::vector<Part> parts_;
  std::vector<std::string> fields_;
};

}  // namespace slipway::data

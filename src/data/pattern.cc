#include "data/pattern.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::data {

Result<Pattern> Pattern::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return Error{ErrorCode::invalid_argument, fmt::format("the pattern '{}' {}", clean_utf8(text, 200), why)};
  };
  Pattern pattern;
  pattern.text_ = text;
  for (size_t i = 0; i < text.size();) {
    const bool after_hole = !pattern.parts_.empty() && pattern.parts_.back().kind != Part::Kind::literal;
    if (text[i] == '{' || text[i] == '*') {
      if (after_hole) return wrong("has two fields with nothing between them; nobody could tell where one ends");
    }
    if (text[i] == '*') {
      pattern.parts_.push_back({Part::Kind::any, ""});
      ++i;
    } else if (text[i] == '{') {
      const size_t end = text.find('}', i);
      if (end == std::string_view::npos || end == i + 1) return wrong("has a { without a name and a } behind it");
      const std::string field(text.substr(i + 1, end - i - 1));
      pattern.parts_.push_back({Part::Kind::field, field});
      if (!pattern.has_field(field)) pattern.fields_.push_back(field);
      i = end + 1;
    } else {
      if (text[i] == '}') return wrong("has a } without a { before it");
      if (pattern.parts_.empty() || after_hole) pattern.parts_.push_back({Part::Kind::literal, ""});
      pattern.parts_.back().text += text[i++];
    }
  }
  return pattern;
}

bool Pattern::has_field(std::string_view name) const {
  return std::find(fields_.begin(), fields_.end(), name) != fields_.end();
}

std::optional<Fields> Pattern::match(std::string_view path) const {
  Fields found;
  if (!match_from(0, path, found)) return std::nullopt;
  return found;
}

bool Pattern::match_from(size_t index, std::string_view rest, Fields& found) const {
  if (index == parts_.size()) return rest.empty();
  const Part& part = parts_[index];
  if (part.kind == Part::Kind::literal)
    return rest.starts_with(part.text) && match_from(index + 1, rest.substr(part.text.size()), found);
  const auto known = part.kind == Part::Kind::field ? found.find(part.text) : found.end();
  if (known != found.end())
    return rest.starts_with(known->second) && match_from(index + 1, rest.substr(known->second.size()), found);
  const size_t most = std::min(rest.find('/'), rest.size());
  for (size_t length = part.kind == Part::Kind::any ? 0 : 1; length <= most; ++length) {
    if (part.kind == Part::Kind::field) found[part.text] = rest.substr(0, length);
    if (match_from(index + 1, rest.substr(length), found)) return true;
  }
  if (part.kind == Part::Kind::field) found.erase(part.text);
  return false;
}

Result<std::string> Pattern::fill(const Fields& fields) const {
  std::string out;
  for (const Part& part : parts_) {
    if (part.kind == Part::Kind::any)
      return Error{ErrorCode::invalid_argument, fmt::format("'{}' has a * and so names no single path", text_)};
    if (part.kind == Part::Kind::literal) {
      out += part.text;
      continue;
    }
    const auto value = fields.find(part.text);
    if (value == fields.end())
      return Error{ErrorCode::invalid_argument, fmt::format("nothing says what {{{}}} in '{}' is", part.text, text_)};
    out += value->second;
  }
  return out;
}

}  // namespace slipway::data

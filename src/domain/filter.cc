#include "domain/filter.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace slipway {
namespace {

struct EntityName {
  std::string_view word;
  FilterEntity entity;
};
constexpr std::array<EntityName, 11> kEntities{{{"metrics", FilterEntity::metric},
                                                {"metric", FilterEntity::metric},
                                                {"params", FilterEntity::parameter},
                                                {"parameters", FilterEntity::parameter},
                                                {"param", FilterEntity::parameter},
                                                {"parameter", FilterEntity::parameter},
                                                {"tags", FilterEntity::tag},
                                                {"tag", FilterEntity::tag},
                                                {"attributes", FilterEntity::attribute},
                                                {"datasets", FilterEntity::dataset},
                                                {"dataset", FilterEntity::dataset}}};
constexpr std::array<std::string_view, 3> kAttributeAliases{"attribute", "attr", "run"};

std::optional<FilterEntity> entity_of(std::string_view word) {
  for (const EntityName& known : kEntities) {
    if (equals_ignore_case(word, known.word)) return known.entity;
  }
  for (std::string_view alias : kAttributeAliases) {
    if (equals_ignore_case(word, alias)) return FilterEntity::attribute;
  }
  return std::nullopt;
}

enum class TokenKind { word, single_quoted, double_quoted, back_quoted, symbol, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  // without quotes
  size_t position = 0, length = 0;
  bool joined = false;  // no space before it
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_symbol(char c) { return c == '=' || c == '!' || c == '<' || c == '>' || c == '(' || c == ')' || c == ','; }
bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

class Parser {
 public:
  explicit Parser(std::string_view text, bool has_patterns = false) : text_(text), has_patterns_(has_patterns) {}

  Result<Filter> filter() {
    Filter filter;
    TRY(advance());
    if (token_.kind == TokenKind::end) return filter;
    while (true) {
      if (filter.comparisons.size() == kFilterComparisonsMax) {
        return Error{ErrorCode::too_large,
                     fmt::format("a filter may have at most {} comparisons", kFilterComparisonsMax)};
      }
      filter.comparisons.push_back(TRY(comparison()));
      if (token_.kind == TokenKind::end) return filter;
      if (!is_word("and")) return unexpected("'AND' or the end of the filter");
      TRY(advance());
    }
  }

  Result<OrderTerm> order() {
    TRY(advance());
    FilterComparison name = TRY(this->name());
    OrderTerm term{name.entity, std::move(name.key), true};
    if (is_word("desc") || is_word("asc")) {
      term.ascending = is_word("asc");
      TRY(advance());
    }
    if (token_.kind != TokenKind::end) return unexpected("'ASC', 'DESC' or the end");
    return term;
  }

  FilterPlace place() const { return {token_.position, token_.length}; }

 private:
  Error unexpected(std::string_view expected) const {
    const std::string found =
        token_.kind == TokenKind::end
            ? "the end of the text"
            : fmt::format("'{}' at position {}", clean_utf8(text_.substr(token_.position, token_.length), 80),
                          token_.position);
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid filter or order: found {}; expected {}", found, expected)};
  }

  bool is_word(std::string_view word) const {
    return token_.kind == TokenKind::word && equals_ignore_case(token_.text, word);
  }
  bool is_symbol_token(std::string_view symbol) const {
    return token_.kind == TokenKind::symbol && token_.text == symbol;
  }

  Result<void> advance() {
    const size_t before = at_;
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    token_ = Token{TokenKind::end, "", at_, 0, at_ == before};
    if (at_ == text_.size()) return {};
    const char c = text_[at_];
    if (is_quote(c)) return quoted(c);
    const size_t start = at_;
    if (is_symbol(c)) {
      ++at_;
      if (at_ < text_.size() && (c == '<' || c == '>' || c == '!') && text_[at_] == '=') ++at_;
      token_.kind = TokenKind::symbol;
    } else {
      while (at_ < text_.size() && !is_space(text_[at_]) && !is_symbol(text_[at_]) && !is_quote(text_[at_])) ++at_;
      token_.kind = TokenKind::word;
    }
    token_.text = text_.substr(start, at_ - start);
    token_.length = at_ - start;
    return {};
  }

  Result<void> quoted(char quote) {
    const size_t start = at_++;
    token_.kind = quote == '\''  ? TokenKind::single_quoted
                  : quote == '"' ? TokenKind::double_quoted
                                 : TokenKind::back_quoted;
    while (at_ < text_.size()) {
      if (text_[at_] == quote) {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == quote)
          ++at_;
        else
          break;
      }
      token_.text += text_[at_++];
    }
    token_.length = at_ - start;
    if (at_ == text_.size()) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("Invalid filter or order: the quote at position {} is never closed", start)};
    }
    ++at_;
    token_.length = at_ - start;
    return {};
  }

  /// `[entity.]key`, where the key may be quoted.
  Result<FilterComparison> name() {
    FilterComparison out;
    out.position = token_.position;
    if (token_.kind == TokenKind::back_quoted || token_.kind == TokenKind::double_quoted) {
      out.key = token_.text;
      out.length = token_.length;
      TRY(advance());
    } else if (token_.kind == TokenKind::word) {
      const std::string word = token_.text;
      out.length = token_.length;
      TRY(advance());
      const size_t dot = word.find('.');
      const auto entity = dot == std::string::npos ? std::nullopt : entity_of(std::string_view(word).substr(0, dot));
      if (entity) out.entity = *entity;
      out.key = entity ? word.substr(dot + 1) : word;
      if (entity && out.key.empty()) {
        TRY(quoted_key(out));
      } else if (word.ends_with('.')) {
        // `metadata.` with a quoted key: an attribute of the whole name.
        const std::string start = std::move(out.key);
        TRY(quoted_key(out));
        out.key = start + out.key;
      }
    } else {
      return unexpected("a name such as metrics.loss");
    }
    if (out.key.empty())
      return Error{ErrorCode::invalid_argument,
                   fmt::format("Invalid filter or order: the name at position {} is empty", out.position)};
    return out;
  }

  Result<void> quoted_key(FilterComparison& out) {
    const bool is_quoted = token_.kind == TokenKind::back_quoted || token_.kind == TokenKind::double_quoted;
    if (!is_quoted || !token_.joined) return unexpected("a key right after the dot");
    out.key = token_.text;
    out.length = token_.position + token_.length - out.position;
    return advance();
  }

  Result<FilterComparison> comparison() {
    FilterComparison out = TRY(name());
    out.op = TRY(comparator());
    if (out.op == FilterOperator::is_null || out.op == FilterOperator::is_not_null) return out;
    if (out.op == FilterOperator::in || out.op == FilterOperator::not_in) {
      out.value = TRY(list());
      return out;
    }
    out.value = TRY(value());
    return out;
  }

  Result<FilterOperator> comparator() {
    static constexpr std::array<std::pair<std::string_view, FilterOperator>, 6> kSymbols{
        {{"=", FilterOperator::equal},
         {"!=", FilterOperator::not_equal},
         {"<", FilterOperator::less},
         {"<=", FilterOperator::less_equal},
         {">", FilterOperator::greater},
         {">=", FilterOperator::greater_equal}}};
    for (const auto& [symbol, op] : kSymbols) {
      if (!is_symbol_token(symbol)) continue;
      TRY(advance());
      return op;
    }
    if (is_word("like") || is_word("ilike") || is_word("in")) {
      const FilterOperator op = is_word("like")    ? FilterOperator::like
                                : is_word("ilike") ? FilterOperator::ilike
                                                   : FilterOperator::in;
      TRY(advance());
      return op;
    }
    if (has_patterns_ && is_word("rlike")) {
      TRY(advance());
      return FilterOperator::rlike;
    }
    if (is_word("not")) {
      TRY(advance());
      if (!is_word("in")) return unexpected("'IN' after 'NOT'");
      TRY(advance());
      return FilterOperator::not_in;
    }
    if (is_word("is")) {
      TRY(advance());
      const bool negated = is_word("not");
      if (negated) TRY(advance());
      if (!is_word("null")) return unexpected("'NULL' after 'IS'");
      TRY(advance());
      return negated ? FilterOperator::is_not_null : FilterOperator::is_null;
    }
    return unexpected("a comparison: = != < <= > >= LIKE ILIKE IN NOT IN IS NULL IS NOT NULL");
  }

  Result<FilterValue> value() {
    FilterValue out;
    if (token_.kind == TokenKind::single_quoted || token_.kind == TokenKind::double_quoted) {
      out = token_.text;
    } else if (const auto number = token_.kind == TokenKind::word ? parse_double(token_.text) : std::nullopt) {
      out = *number;
    } else {
      return unexpected("a number, or a text in quotes");
    }
    TRY(advance());
    return out;
  }

  Result<FilterValue> list() {
    if (!is_symbol_token("(")) return unexpected("a list in parentheses");
    TRY(advance());
    std::vector<std::string> items;
    while (true) {
      if (token_.kind != TokenKind::single_quoted && token_.kind != TokenKind::double_quoted)
        return unexpected("a text in quotes");
      if (items.size() == kFilterListMax) {
        return Error{ErrorCode::too_large, fmt::format("a list in a filter may have at most {} items", kFilterListMax)};
      }
      items.push_back(token_.text);
      TRY(advance());
      if (is_symbol_token(")")) break;
      if (!is_symbol_token(",")) return unexpected("',' or ')'");
      TRY(advance());
    }
    TRY(advance());
    return FilterValue(std::move(items));
  }

  const std::string_view text_;
  const bool has_patterns_;
  size_t at_ = 0;
  Token token_;
};

std::string quote(std::string_view text, char with) {
  std::string out(1, with);
  for (char c : text) {
    out += c;
    if (c == with) out += c;
  }
  return out + with;
}

std::string render_name(FilterEntity entity, const std::string& key) {
  return std::string(name(entity)) + "." + quote(key, '`');
}

std::string render_value(const FilterValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return " " + render_double(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return " " + quote(*text, '\'');
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::string out = " (";
    for (const std::string& item : *list) out += (out.size() > 2 ? ", " : "") + quote(item, '\'');
    return out + ")";
  }
  return "";
}

}  // namespace

std::string_view name(FilterEntity entity) {
  switch (entity) {
    case FilterEntity::attribute: return "attributes";
    case FilterEntity::metric: return "metrics";
    case FilterEntity::parameter: return "params";
    case FilterEntity::tag: return "tags";
    case FilterEntity::dataset: return "datasets";
  }
  return "attributes";
}

std::string_view name(FilterOperator op) {
  switch (op) {
    case FilterOperator::equal: return "=";
    case FilterOperator::not_equal: return "!=";
    case FilterOperator::less: return "<";
    case FilterOperator::less_equal: return "<=";
    case FilterOperator::greater: return ">";
    case FilterOperator::greater_equal: return ">=";
    case FilterOperator::like: return "LIKE";
    case FilterOperator::ilike: return "ILIKE";
    case FilterOperator::rlike: return "RLIKE";
    case FilterOperator::in: return "IN";
    case FilterOperator::not_in: return "NOT IN";
    case FilterOperator::is_null: return "IS NULL";
    case FilterOperator::is_not_null: return "IS NOT NULL";
  }
  return "=";
}

namespace {

Result<Filter> parse(std::string_view text, bool has_patterns, FilterPlace* place) {
  if (text.size() > kFilterBytesMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("the filter has {} bytes; at most {} are taken", text.size(), kFilterBytesMax)};
  }
  Parser parser(text, has_patterns);
  auto filter = parser.filter();
  if (!filter.ok() && place) *place = parser.place();
  return filter;
}

}  // namespace

Result<Filter> parse_filter(std::string_view text, FilterPlace* place) { return parse(text, false, place); }

Result<Filter> parse_pattern_filter(std::string_view text, FilterPlace* place) { return parse(text, true, place); }

std::string render(const Filter& filter) {
  std::string out;
  for (const FilterComparison& comparison : filter.comparisons) {
    if (!out.empty()) out += " AND ";
    out += render_name(comparison.entity, comparison.key);
    out += ' ';
    out += name(comparison.op);
    out += render_value(comparison.value);
  }
  return out;
}

Result<OrderTerm> parse_order(std::string_view text) {
  if (text.size() > kFilterBytesMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("the order has {} bytes; at most {} are taken", text.size(), kFilterBytesMax)};
  }
  return Parser(text).order();
}

std::string render(const OrderTerm& term) {
  return render_name(term.entity, term.key) + (term.ascending ? " ASC" : " DESC");
}

}  // namespace slipway

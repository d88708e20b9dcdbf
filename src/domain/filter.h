// The filter language: one grammar for runs, experiments, models, samples and cases, as MLflow's clients speak it.
//
//   filter     = comparison { AND comparison }
//   comparison = name ( = | != | < | <= | > | >= | LIKE | ILIKE ) value
//              | name RLIKE text                 a regular expression; only where a search has patterns
//              | name [ NOT ] IN ( text {, text} )
//              | name IS [ NOT ] NULL
//   name       = [ entity . ] key        key bare, or in `backquotes` or "double quotes"
//   value      = number | 'text' | "text"            a doubled quote stands for itself
//
// Words in capitals may be written in any case. A name without a known entity is an attribute, dots and all. What a
// name means, and which comparisons it takes, is the business of the room that translates the filter.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace slipway {

enum class FilterEntity { attribute, metric, parameter, tag, dataset };
std::string_view name(FilterEntity entity);

enum class FilterOperator {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  like,
  ilike,
  rlike,
  in,
  not_in,
  is_null,
  is_not_null
};
/// As it is written: "=", "!=", "LIKE", "NOT IN", "IS NULL".
std::string_view name(FilterOperator op);

using FilterValue = std::variant<std::monostate, double, std::string, std::vector<std::string>>;

struct FilterComparison {
  FilterEntity entity = FilterEntity::attribute;
  std::string key;
  FilterOperator op = FilterOperator::equal;
  FilterValue value;                // monostate for IS [NOT] NULL, a list for [NOT] IN
  size_t position = 0, length = 0;  // of the name, in bytes

  bool operator==(const FilterComparison& other) const {
    return entity == other.entity && key == other.key && op == other.op && value == other.value;
  }
};

/// All of them hold. Empty: everything passes.
struct Filter {
  std::vector<FilterComparison> comparisons;
  bool operator==(const Filter&) const = default;
};

/// Where in the text an error was found, for whoever wants to underline it.
struct FilterPlace {
  size_t position = 0, length = 0;
};

inline constexpr size_t kFilterBytesMax = 64 << 10;
inline constexpr size_t kFilterComparisonsMax = 100;
inline constexpr size_t kFilterListMax = 10'000;

/// invalid_argument with a sentence that quotes the word and says what was expected; too_large past the limits.
Result<Filter> parse_filter(std::string_view text, FilterPlace* place = nullptr);
/// The same with RLIKE, for searches that know what to do with it.
Result<Filter> parse_pattern_filter(std::string_view text, FilterPlace* place = nullptr);
/// Text that parses back to the same filter.
std::string render(const Filter& filter);

/// `[entity.]key [ASC|DESC]`.
struct OrderTerm {
  FilterEntity entity = FilterEntity::attribute;
  std::string key;
  bool ascending = true;
  bool operator==(const OrderTerm&) const = default;
};
Result<OrderTerm> parse_order(std::string_view text);
std::string render(const OrderTerm& term);

}  // namespace slipway

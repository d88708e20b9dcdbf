// Filter conditions on spans. Those on name, type and status can be asked of the table; those on attributes and
// contents, and patterns, need the span itself. All conditions of a filter mean one and the same span. Private to the
// room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/filter.h"
#include "domain/trace.h"
#include "tracking/pattern.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

class SpanFilter {
 public:
  /// `part` is what follows "span." in the filter: name, type, status, content, or attributes.<key>.
  /// invalid_argument for anything else, and for a comparison that it does not take.
  Result<void> add(std::string_view part, const FilterComparison& comparison);

  bool empty() const { return conditions_.empty(); }
  /// Whether spans must be opened to know.
  bool looks_inside() const { return looks_inside_; }
  /// Condition on the trace numbered by `trace`: it has a span for which all hold that can be asked of the table.
  Sql sql(std::string_view trace) const;
  bool matches(const std::vector<Span>& spans) const;

 private:
  struct Condition {
    enum class Of { name, type, status, content, attribute } of = Of::name;
    std::string attribute;
    FilterComparison comparison;
    std::optional<Pattern> pattern;  // of RLIKE
  };
  static bool holds(const Condition& condition, const Span& span);

  std::vector<Condition> conditions_;
  Sql table_;  // on the columns of trace_spans, each after " AND "
  bool looks_inside_ = false;
};

/// SQL's LIKE: '%' stands for any text, '_' for one character.
bool is_like(std::string_view text, std::string_view pattern);
/// What a filter on the contents of a span sees: its name, type, attributes and events as JSON.
std::string searched_text(const Span& span);

}  // namespace slipway::tracking

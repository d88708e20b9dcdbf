// RLIKE on what a trace itself says: its name, state, ids, tags, metadata and assessments. Databases have no regular
// expressions that are the same and safe on both, so these conditions are held against the traces that pass the rest.
// Private to the room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/filter.h"
#include "tracking/pattern.h"
#include "tracking/traces.h"

namespace slipway::tracking {

class TracePatterns {
 public:
  /// `entity` is "tag", "metadata", "feedback", "expectation" or "" for an attribute. invalid_argument for an attribute
  /// that is no text, and for what is no regular expression.
  Result<void> add(std::string_view entity, std::string_view key, const FilterComparison& comparison);

  bool empty() const { return conditions_.empty(); }
  bool matches(const Trace& trace) const;

 private:
  struct Condition {
    std::string entity, key;
    Pattern pattern;
  };
  static bool holds(const Condition& condition, const Trace& trace);

  std::vector<Condition> conditions_;
};

}  // namespace slipway::tracking

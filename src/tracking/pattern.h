// A regular expression in a filter (RLIKE): found anywhere in a text, as SQL's REGEXP finds it, in time that grows with
// the text and never with tricks in the expression; so there are no back references and no looking around. Private to
// the room.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "domain/filter.h"

namespace slipway::tracking {

inline constexpr size_t kPatternBytesMax = 1000;
inline constexpr std::int64_t kPatternMemoryMax = 1 << 20;  // bytes, of the compiled expression and its automaton

/// Cheap to copy; may be used by many threads.
class Pattern {
 public:
  /// invalid_argument for what is no regular expression, too_large past the limits.
  static Result<Pattern> make(std::string_view expression);

  bool is_in(std::string_view text) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const Compiled> compiled_;
};

/// That of an RLIKE. invalid_argument when it is compared with a number.
Result<Pattern> pattern_of(const FilterComparison& comparison);

}  // namespace slipway::tracking

#include "tracking/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.h"

namespace slipway::tracking {
namespace {

constexpr size_t kShownMax = 100;  // bytes of an expression in a message

re2::RE2::Options bounded() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryMax);
  options.set_never_capture(true);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string_view text) : expression(piece(text), bounded()) {}
  re2::RE2 expression;
};

Result<Pattern> Pattern::make(std::string_view expression) {
  if (expression.size() > kPatternBytesMax) {
    return Error{ErrorCode::too_large, fmt::format("a regular expression has {} bytes; at most {} are taken",
                                                   expression.size(), kPatternBytesMax)};
  }
  auto compiled = std::make_shared<const Compiled>(expression);
  if (compiled->expression.ok()) return Pattern(std::move(compiled));
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' in the filter is no regular expression that is taken here: {} (there are no back "
                           "references and no looking ahead or behind)",
                           clean_utf8(expression, kShownMax), clean_utf8(compiled->expression.error(), 2 * kShownMax))};
}

Result<Pattern> pattern_of(const FilterComparison& comparison) {
  if (const auto* text = std::get_if<std::string>(&comparison.value)) return Pattern::make(*text);
  return Error{ErrorCode::invalid_argument,
               fmt::format("{}.{} RLIKE is followed by a number in the filter; expected a text in quotes",
                           name(comparison.entity), clean_utf8(comparison.key, kShownMax))};
}

bool Pattern::is_in(std::string_view text) const { return re2::RE2::PartialMatch(piece(text), compiled_->expression); }

}  // namespace slipway::tracking

#include "registry/rows.h"

#include "base/text.h"

namespace slipway::registry {

Result<std::int64_t> parse_position_token(std::string_view token) {
  if (token.empty()) return std::int64_t{0};
  const auto text = base64_decode(token);
  const auto position = text && text->starts_with("at:") ? parse_i64(std::string_view(*text).substr(3)) : std::nullopt;
  if (!position || *position < 0) {
    return Error{ErrorCode::invalid_argument, "the page token '" + clean_utf8(token, 100) +
                                                  "' did not come from an answer of this server; begin without one"};
  }
  return *position;
}

std::string render_position_token(std::int64_t position) { return base64_encode("at:" + std::to_string(position)); }

}  // namespace slipway::registry

#include "domain/view.h"

#include <algorithm>

#include "base/text.h"

namespace slipway {
namespace {

constexpr size_t kShownBytesMax = 100;

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }
bool is_in_query(char c) { return c > 0x20 && c < 0x7f && c != '#'; }

Error refused(std::string_view what, std::string_view found, std::string_view expected) {
  return {ErrorCode::invalid_argument, "'" + clean_utf8(found, kShownBytesMax) + "' cannot be the " +
                                           std::string(what) + " of a view; expected " + std::string(expected)};
}

Result<void> check_line(std::string_view what, std::string_view text, size_t bytes_max) {
  const bool fits = !text.empty() && text.size() <= bytes_max && text.front() != ' ' && text.back() != ' ';
  if (fits && std::ranges::none_of(text, is_control)) return {};
  return refused(
      what, text,
      "1 to " + std::to_string(bytes_max) + " bytes of text without line breaks, and without spaces at its ends");
}

}  // namespace

Result<void> check_view_page(std::string_view page) { return check_line("page", page, kViewPageBytesMax); }

Result<void> check_view_name(std::string_view name) { return check_line("name", name, kViewNameBytesMax); }

Result<void> check_view_query(std::string_view query) {
  if (query.size() > kViewQueryBytesMax) {
    return Error{ErrorCode::too_large, "the query of a view has " + std::to_string(query.size()) +
                                           " bytes; expected at most " + std::to_string(kViewQueryBytesMax)};
  }
  if (!query.starts_with('?') && std::ranges::all_of(query, is_in_query)) return {};
  return refused("query", query, "the part of the page's URL behind '?', percent-encoded");
}

}  // namespace slipway

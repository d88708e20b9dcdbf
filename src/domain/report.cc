#include "domain/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace slipway {
namespace {

constexpr size_t kShownBytesMax = 100;

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }
bool is_unprintable(unsigned char c) { return is_control(c) && c != '\n' && c != '\r' && c != '\t'; }

}  // namespace

Result<void> check_report_title(std::string_view title) {
  const bool fits =
      !title.empty() && title.size() <= kReportTitleBytesMax && title.front() != ' ' && title.back() != ' ';
  if (fits && is_utf8(title) && std::ranges::none_of(title, is_control)) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("'{}' cannot be the title of a report; expected 1 to {} bytes of text without line breaks, "
                           "and without spaces at its ends",
                           clean_utf8(title, kShownBytesMax), kReportTitleBytesMax)};
}

Result<void> check_report_text(std::string_view text) {
  if (text.size() > kReportTextBytesMax) {
    return Error{ErrorCode::too_large, fmt::format("the report's text has {} bytes; expected at most {}: make two "
                                                   "reports of it, which may link to each other",
                                                   text.size(), kReportTextBytesMax)};
  }
  if (!is_utf8(text)) return Error{ErrorCode::invalid_argument, "the report's text is not UTF-8"};
  const auto* found = std::ranges::find_if(text, is_unprintable);
  if (found == text.end()) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format(
          "the report's text has the control character {:#04x} at byte {}; expected tabs and ends of lines only",
          static_cast<unsigned char>(*found), found - text.begin())};
}

}  // namespace slipway

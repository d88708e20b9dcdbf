#include "http/range.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::http {
namespace {

constexpr std::string_view kUnit = "bytes=";

std::string_view without_weakness(std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; }

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A position, where one that does not fit 64 bits is as good as the largest.
std::uint64_t parse_position(std::string_view digits) { return parse_u64(digits).value_or(UINT64_MAX); }

}  // namespace

RangeRequest parse_range(std::string_view header, std::uint64_t size) {
  using Kind = RangeRequest::Kind;
  if (!header.starts_with(kUnit)) return {};
  header.remove_prefix(kUnit.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view first_text = trim(header.substr(0, dash)), last_text = trim(header.substr(dash + 1));
  const bool has_first = is_digits(first_text), has_last = is_digits(last_text);
  // Two ranges have a comma in what would be the last position, and are answered whole.
  if ((!has_first && !first_text.empty()) || (!has_last && !last_text.empty()) || (!has_first && !has_last)) return {};

  if (!has_first) {  // the last bytes
    const std::uint64_t length = std::min(parse_position(last_text), size);
    if (length == 0) return {Kind::unsatisfiable, {}};
    return {Kind::part, {size - length, length}};
  }
  const std::uint64_t first = parse_position(first_text);
  const std::uint64_t last = has_last ? parse_position(last_text) : UINT64_MAX;
  if (last < first) return {};
  if (first >= size) return {Kind::unsatisfiable, {}};
  return {Kind::part, {first, std::min(last, size - 1) - first + 1}};
}

std::string render_content_range(const RangeRequest& request, std::uint64_t size) {
  if (request.kind != RangeRequest::Kind::part) return "bytes */" + std::to_string(size);
  return "bytes " + std::to_string(request.range.first) + "-" +
         std::to_string(request.range.first + request.range.length - 1) + "/" + std::to_string(size);
}

bool matches_tag(std::string_view if_none_match, std::string_view tag) {
  if (trim(if_none_match) == "*") return true;
  for (const std::string& candidate : split(if_none_match, ',')) {
    const std::string_view found = without_weakness(trim(candidate));
    if (!found.empty() && found == without_weakness(tag)) return true;
  }
  return false;
}

RangeRequest requested_range(const Request& request, std::string_view tag, std::uint64_t size) {
  const std::string_view if_range = request.headers.get("If-Range");
  const bool is_other_body = !if_range.empty() && if_range != tag;  // compared strongly; a date is never equal
  if (request.method != Method::get || is_other_body) return {};
  return parse_range(request.headers.get("Range"), size);
}

}  // namespace slipway::http

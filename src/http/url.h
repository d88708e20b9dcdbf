// Percent-encoding and query strings (RFC 3986; application/x-www-form-urlencoded for queries).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::http {

inline constexpr size_t kQueryValuesMax = 10'000;

/// "a=1&b=x%20y" -> pairs in order, decoded; a key without '=' has an empty value. Past kQueryValuesMax the rest is
/// dropped.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text);

}  // namespace slipway::http

// `filter` and `order_by` of native list requests. Private to native/.
#pragma once

#include <optional>

#include "api/api.h"
#include "domain/filter.h"

namespace slipway::api {

/// The answer to a filter that does not parse, with details:{position,length} of the word; nullopt when it does, and
/// then `filter` holds it.
std::optional<http::Response> read_filter(const http::Request& request, Filter& filter);
/// The same with RLIKE, for traces.
std::optional<http::Response> read_pattern_filter(const http::Request& request, Filter& filter);
/// The answer to a filter that parses and asks for what there is not.
http::Response refused_filter(const Error& why, const FilterPlace& place);
/// `order_by=metrics.loss desc`, repeated or separated by commas.
Result<std::vector<OrderTerm>> order_of(const http::Request& request);

}  // namespace slipway::api

// For what stands around handlers: the handler of a route is replaced by one that calls it and sees its answer first.
#pragma once

#include "http/http.h"

namespace slipway::http {

/// Puts `around(handler)` in the place of a route's handler. The route must exist and take its body whole (a CHECK).
/// Before the server starts, as all that changes a router.
void wrap(Router& router, Method method, std::string_view pattern, const std::function<Handler(Handler)>& around);

/// What the handler answers; nobody gets it but the caller. For handlers that answer whole and before they return: one
/// that streams, or that answers later, gives a 500. Blocks as the handler does, and throws what it throws.
Response answer_of(const Handler& handler, Request& request);

}  // namespace slipway::http

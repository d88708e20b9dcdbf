// The routes that make a record, and so honour Idempotency-Key.
#pragma once

#include <string>
#include <vector>

#include "api/idempotency.h"
#include "http/http.h"

namespace slipway::api {

/// Puts `keys` around every create. After all add_…; a create whose route does not exist is a CHECK failure. Creates
/// that need no key are not among them: blobs and trees are named by their bytes, feedback by its answer.
void add_idempotency(http::Router& router, Idempotency& keys);

/// The patterns of these routes, all POST. The API's description says the same (a test).
std::vector<std::string> create_patterns();

}  // namespace slipway::api

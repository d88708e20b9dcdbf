// /api/v1/gc: what nothing names any more, and what was deleted long enough ago, goes for good. For admins.
#pragma once

#include "http/http.h"
#include "registry/registry.h"
#include "retention/retention.h"

namespace slipway::api {

/// Everything outlives the router's use.
void add_gc(http::Router& router, retention::Collector& collector, registry::References& references);

}  // namespace slipway::api

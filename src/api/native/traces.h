// /api/v1/traces: traces of a project, one trace with its spans, and what people say of them.
#pragma once

#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// `tracking` outlives the router's use.
void add_traces(http::Router& router, tracking::Tracking& tracking);

}  // namespace slipway::api

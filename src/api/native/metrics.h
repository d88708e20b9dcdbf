// /api/v1/runs/{run}/metrics and their histories, thinned for screens.
#pragma once

#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

void add_metrics(http::Router& router, tracking::Tracking& tracking);

}  // namespace slipway::api

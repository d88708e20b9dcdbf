// /api/v1/experiments.
#pragma once

#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

void add_experiments(http::Router& router, tracking::Tracking& tracking);

}  // namespace slipway::api

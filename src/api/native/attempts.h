// /api/v1/attempts: what runners say and ask. The credential is the run's own token (or an admin's).
#pragma once

#include "http/http.h"
#include "runs/runs.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// Everything given outlives the router's use.
void add_attempts(http::Router& router, runs::Runs& runs, tracking::Tracking& tracking);

}  // namespace slipway::api

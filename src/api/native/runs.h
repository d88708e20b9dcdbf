// /api/v1/runs: the record of runs, whoever executes them. What only runs that Slipway executes have (attempts, log,
// snapshot) is added by its own handlers.
#pragma once

#include "api/native/run_json.h"
#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// `tracking`, and what the functions refer to, outlive the router's use.
void add_runs(http::Router& router, tracking::Tracking& tracking, RunExtras extras = {});

/// What `columns=` of a request asks for; everything when it is absent or "*".
Result<tracking::RunParts> run_parts_of(const http::Request& request);

}  // namespace slipway::api

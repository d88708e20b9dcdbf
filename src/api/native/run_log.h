// /api/v1/runs/{run}/log/search and …/log/file: finding in the log of a run, and all of it as a file.
#pragma once

#include "http/http.h"
#include "runs/runs.h"

namespace slipway::api {

/// `runs` outlives the router's use.
void add_run_log(http::Router& router, runs::Runs& runs);

}  // namespace slipway::api

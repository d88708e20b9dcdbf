// /api/v1/runs/{run}/artifacts: the files of a run.
#pragma once

#include "http/http.h"
#include "registry/artifacts.h"
#include "store/store.h"
#include "tracking/tracking.h"

namespace slipway::api {

void add_run_files(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts,
                   store::Store& store);

}  // namespace slipway::api

// /api/v1/runs/{run}/artifacts: the files of a run.
#pragma once

#include "http/http.h"
#include "registry/artifacts.h"
#include "store/store.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// Who keeps a run's files; not_found for a run that this project does not have.
Result<registry::Owner> run_owner(tracking::Tracking& tracking, const ProjectId& project, const RunId& run);

void add_run_files(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts,
                   store::Store& store);

}  // namespace slipway::api

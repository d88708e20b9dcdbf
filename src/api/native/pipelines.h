// /api/v1/pipelines: what can be started, and by what; /api/v1/pipeline_runs.
#pragma once

#include "http/http.h"
#include "pipelines/definitions.h"
#include "pipelines/pipelines.h"

namespace slipway::api {

/// Both outlive the router's use.
void add_pipelines(http::Router& router, pipelines::Pipelines& pipelines, pipelines::Definitions& definitions);

}  // namespace slipway::api

// /api/v1/pipelines and /api/v1/pipeline_runs.
#pragma once

#include "http/http.h"
#include "pipelines/pipelines.h"

namespace slipway::api {

/// Outlives the router's use.
void add_pipelines(http::Router& router, pipelines::Pipelines& pipelines);

}  // namespace slipway::api

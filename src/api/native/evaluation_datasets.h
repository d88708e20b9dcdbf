// /api/v1/evaluation_datasets and /api/v1/scorers: what language applications are judged on, and by what, to be read.
// They are made by MLflow's client (api/mlflow).
#pragma once

#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

void add_evaluation_datasets(http::Router& router, tracking::Tracking& tracking);

}  // namespace slipway::api

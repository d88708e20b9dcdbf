// OpenTelemetry's protocol over HTTP, the part for traces: POST /v1/traces as protobuf or JSON, compressed or not. What
// comes is kept as traces of an experiment, and MLflow's clients read it from there.
#pragma once

#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// `tracking` outlives the router's use. The experiment is named by id in the header x-mlflow-experiment-id, or by name
/// in x-slipway-experiment, which makes it when there is none; else it is the Default one.
void add_otlp(http::Router& router, tracking::Tracking& tracking);

}  // namespace slipway::api

// /api/v1/deployments.
#pragma once

#include "base/json.h"
#include "http/http.h"
#include "monitor/monitor.h"
#include "serving/serving.h"

namespace slipway::api {

/// All outlive the router's use.
void add_deployments(http::Router& router, serving::Serving& serving, monitor::Monitor& monitor);

/// A deployment as every list and detail shows it, with what the monitor counted of it.
Json deployment_json(const serving::Deployment& deployment, const monitor::TrafficTotals& traffic);

}  // namespace slipway::api

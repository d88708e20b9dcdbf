// /api/v1/deployments.
#pragma once

#include "base/json.h"
#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api {

/// Both outlive the router's use.
void add_deployments(http::Router& router, serving::Serving& serving);

/// A deployment as every list and detail shows it.
Json deployment_json(const serving::Deployment& deployment);

}  // namespace slipway::api

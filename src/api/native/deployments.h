// /api/v1/deployments.
#pragma once

#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api {

/// Both outlive the router's use.
void add_deployments(http::Router& router, serving::Serving& serving);

}  // namespace slipway::api

// /api/v1/webhooks: which there are, and how their deliveries went. They are made and changed by MLflow's API.
#pragma once

#include "http/http.h"
#include "teams/webhooks.h"

namespace slipway::api {

/// `webhooks` outlives the router.
void add_webhooks(http::Router& router, teams::Webhooks& webhooks);

}  // namespace slipway::api

// /api/v1/cases, feedback, findings, and a deployment's drift.
#pragma once

#include "base/json.h"
#include "http/http.h"
#include "monitor/monitor.h"
#include "registry/registry.h"

namespace slipway::api {

/// Both outlive the router's use.
void add_monitor(http::Router& router, monitor::Monitor& monitor, registry::Registry& registry);

/// A finding as every list shows it.
Json finding_json(const monitor::Finding& finding);

}  // namespace slipway::api

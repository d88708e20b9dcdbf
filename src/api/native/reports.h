// /api/v1/reports.
#pragma once

#include <memory>

#include "http/http.h"
#include "tracking/reports.h"

namespace slipway::api {

/// Shared with the router's handlers.
void add_reports(http::Router& router, const std::shared_ptr<tracking::Reports>& reports);

}  // namespace slipway::api

// /api/v1/imports: runs and logged models from other tracking servers, kept under the ids and times they had there.
// PUT, because saying it again changes nothing.
#pragma once

#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

void add_imports(http::Router& router, tracking::Tracking& tracking);

}  // namespace slipway::api

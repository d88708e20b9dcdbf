// /api/v1/views.
#pragma once

#include "catalog/catalog.h"
#include "http/http.h"

namespace slipway::api {

/// Both outlive the router.
void add_views(http::Router& router, catalog::Database& database, const Clock& clock);

}  // namespace slipway::api

// /api/v1/backups: what `slipway backup` fetches, for admins. The blobs themselves go by /api/v1/blobs.
#pragma once

#include "api/backups.h"
#include "http/http.h"

namespace slipway::api {

/// Everything outlives the router's use.
void add_backups(http::Router& router, Backups& backups, catalog::Database& database, store::Store& store);

}  // namespace slipway::api

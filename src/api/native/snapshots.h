// /api/v1/blobs, trees and snapshots: bytes by hash, on their way in from command lines and runners and out to them.
#pragma once

#include "http/http.h"
#include "runs/runs.h"
#include "store/store.h"

namespace slipway::api {

/// Everything given outlives the router's use.
void add_snapshots(http::Router& router, store::Store& store, runs::Runs& runs);

}  // namespace slipway::api

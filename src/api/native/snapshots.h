// /api/v1/snapshots: says which manifest (commit, branch, diff) belongs to a tree of code that was uploaded as blobs.
#pragma once

#include "http/http.h"
#include "runs/runs.h"

namespace slipway::api {

/// Outlives the router's use.
void add_snapshots(http::Router& router, runs::Runs& runs);

}  // namespace slipway::api

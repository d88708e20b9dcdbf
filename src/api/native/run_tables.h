// /api/v1/runs/{run}/artifacts/table/{path}: some rows of a Parquet file that a run keeps.
#pragma once

#include "http/http.h"
#include "registry/artifacts.h"
#include "store/store.h"
#include "tracking/tracking.h"

namespace slipway::api {

inline constexpr int kTablesReadMax = 2;  // at a time, each within DuckDB's memory limit; further ones wait
inline constexpr Duration kTableWaitMax = std::chrono::seconds(10);  // then busy

void add_run_tables(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts,
                    store::Store& store);

}  // namespace slipway::api

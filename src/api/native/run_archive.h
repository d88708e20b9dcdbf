// /api/v1/runs/{run}/artifacts/archive: a folder of a run's files as one tar or zip, made while it is sent.
#pragma once

#include "http/http.h"
#include "registry/artifacts.h"
#include "store/store.h"
#include "tracking/tracking.h"

namespace slipway::api {

inline constexpr size_t kZipFilesMax =
    200'000;  // its directory is kept in memory until the end; a tar has no such limit

void add_run_archive(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts,
                     store::Store& store);

}  // namespace slipway::api

// /api/v1/media and /api/v1/runs/{run}/media: the pictures, sounds, tables and the like of runs, key by key, step by
// step.
#pragma once

#include "http/http.h"
#include "registry/artifacts.h"
#include "tracking/tracking.h"

namespace slipway::api {

inline constexpr size_t kMediaRunsMax = 200;  // of one request
inline constexpr size_t kMediaFilesMax =
    200'000;  // artifacts that are looked at for one request; the answer says when there are more
inline constexpr size_t kMediaKeysMax = 2'000;  // of one answer, as kMediaItemsMax
inline constexpr size_t kMediaItemsMax = 20'000;
inline constexpr size_t kMediaStepsMax = 5'000;  // of one key in a list of keys; of more some are told, evenly

void add_media(http::Router& router, tracking::Tracking& tracking, registry::Artifacts& artifacts);

}  // namespace slipway::api

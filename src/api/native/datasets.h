// /api/v1/datasets: commits, branches, samples, differences, merges.
#pragma once

#include "base/json.h"
#include "http/http.h"
#include "registry/registry.h"

namespace slipway::api {

/// The registry outlives the router's use.
void add_datasets(http::Router& router, registry::Registry& registry);

/// As /api/v1/datasets/{name}/commits/{ref} answers; a sample is to_json() of domain/sample.h.
Json commit_json(const registry::Commit& commit);

}  // namespace slipway::api

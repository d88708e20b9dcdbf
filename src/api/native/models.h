// /api/v1/models: models, versions, aliases with their history, the files of a version; /api/v1/lineage.
#pragma once

#include <functional>

#include "base/json.h"
#include "http/http.h"
#include "registry/registry.h"

namespace slipway::api {

/// What another room knows of a version, as the array `evaluations` of its answer.
using EvaluationsOfVersion = std::function<Result<Json>(const ProjectId&, const std::string& model, std::int64_t version)>;

/// The registry outlives the router's use. Without `evaluations_of` the array is empty.
void add_models(http::Router& router, registry::Registry& registry, EvaluationsOfVersion evaluations_of = nullptr);

}  // namespace slipway::api

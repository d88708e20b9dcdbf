// /api/v1/models: models, versions, aliases with their history, the files of a version; /api/v1/lineage.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/json.h"
#include "http/http.h"
#include "registry/registry.h"

namespace slipway::api {

/// What another room knows of a model's versions, as the array `evaluations` of each of them, newest first.
using EvaluationsOfModel =
    std::function<Result<std::map<std::int64_t, Json::Array>>(const ProjectId&, const std::string& model)>;

/// The registry outlives the router's use.
void add_models(http::Router& router, registry::Registry& registry, EvaluationsOfModel evaluations_of);

}  // namespace slipway::api

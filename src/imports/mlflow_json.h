// MLflow's JSON as records. Private to the room.
#pragma once

#include "base/json.h"
#include "imports/source.h"

namespace slipway::imports {

/// A list of {key, value}.
Pairs pairs_of(const Json& list);
/// {key, value, timestamp, step}. MLflow stores infinities as the largest double; they become infinities again.
Point point_of(const Json& json);
/// Runs of runs/search; `deleted` from its lifecycle_stage.
SourceRun run_of(const Json& json);
SourceLoggedModel logged_model_of(const Json& json);
/// A registered model without its versions.
SourceModel model_of(const Json& json);
SourceVersion version_of(const Json& json);

}  // namespace slipway::imports

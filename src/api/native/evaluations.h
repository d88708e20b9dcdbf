// /api/v1/evaluations.
#pragma once

#include "api/native/models.h"
#include "evaluation/evaluation.h"
#include "http/http.h"

namespace slipway::api {

/// Outlives the router's use.
void add_evaluations(http::Router& router, evaluation::Evaluations& evaluations);

/// The newest evaluations of a model, by version. `evaluations` outlives the function.
EvaluationsOfModel evaluations_of_models(evaluation::Evaluations& evaluations);

}  // namespace slipway::api

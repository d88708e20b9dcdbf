// /api/v1/evaluations.
#pragma once

#include "evaluation/evaluation.h"
#include "http/http.h"

namespace slipway::api {

/// Outlives the router's use.
void add_evaluations(http::Router& router, evaluation::Evaluations& evaluations);

}  // namespace slipway::api

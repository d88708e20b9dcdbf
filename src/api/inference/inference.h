// /v2: the Open Inference Protocol over REST with Triton's extensions binary_tensor_data, classification,
// model_configuration, statistics and model_repository. A model here is a deployment; errors are {"error": "sentence"}.
#pragma once

#include "base/thread.h"
#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api {

/// All outlive the router's use. Requests are answered on the event loop; `pool` takes what is too large for it.
void add_inference(http::Router& router, serving::Serving& serving, ThreadPool& pool);

}  // namespace slipway::api

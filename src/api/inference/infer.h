// POST /v2/models/M/infer.
#pragma once

#include "base/thread.h"
#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api::oip {

/// Takes the request's body; answers from whichever thread has the answer.
void infer(serving::Serving& serving, ThreadPool& pool, http::Request& request, const http::Responder& responder);

}  // namespace slipway::api::oip

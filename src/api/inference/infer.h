// POST /v2/models/M/infer.
#pragma once

#include "base/thread.h"
#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api::oip {

/// Takes the request's body; answers from whichever thread has the answer.
void infer(serving::Serving& serving, ThreadPool& pool, http::Request& request, const http::Responder& responder);

// What every wire holds to: a request or an answer that takes longer than about a millisecond to read or to write is
// left to the pool.
bool is_quickly_read(size_t json_bytes, size_t body_bytes);
bool is_quickly_written(const Result<inference::InferResponse>& response);
/// busy, for a pool that takes no more: "too many large answers are being written; …".
Error too_many_large(const std::string& what);

}  // namespace slipway::api::oip

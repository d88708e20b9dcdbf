// What the handlers of /v2 share: errors and JSON in the protocol's form.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api::oip {

/// {"error": "sentence"}, with Retry-After where trying again helps.
http::Response error_response(const Error& error);

/// GET /v2/models/M.
std::string metadata_json(const serving::Target& target);
/// GET /v2/models/M/config: the fields of ModelConfig, defaults included.
std::string config_json(const serving::Target& target);
/// One element of model_stats.
void append_statistics(JsonWriter& json, const std::string& name, const serving::VersionFigures& figures);

/// The answer of an infer request, JSON or JSON with raw tensors behind it as the request wants.
http::Response infer_response(const inference::InferRequest& request, const Result<inference::InferResponse>& response);

}  // namespace slipway::api::oip

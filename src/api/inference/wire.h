// What the handlers of /v2 share among them and with gRPC: errors and JSON in the protocol's form.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "http/http.h"
#include "serving/serving.h"

namespace slipway::api::oip {

/// {"error": "sentence"}, with Retry-After where trying again helps.
http::Response error_response(const Error& error);

/// A version as paths and messages write it; none for an empty text, invalid_argument for what is no whole number.
Result<std::optional<std::int64_t>> parse_version(std::string_view text);

/// GET /v2.
std::string server_json();
/// GET /v2/models/M.
std::string metadata_json(const serving::Target& target);
/// GET /v2/models/M/config: the fields of ModelConfig, defaults included.
std::string config_json(const serving::Target& target);
/// GET /v2/models/M/stats; of all deployments of the project when `model` is empty. not_found for a deployment or a
/// version that is not there; one that cannot answer now still has its figures.
Result<std::string> statistics_json(serving::Serving& serving, const ProjectId& project, std::string_view model,
                                    std::optional<std::int64_t> version);
/// POST /v2/repository/index.
std::string index_json(serving::Serving& serving, const ProjectId& project, bool ready_only);

/// The answer of an infer request, JSON or JSON with raw tensors behind it as the request wants.
http::Response infer_response(const inference::InferRequest& request, const Result<inference::InferResponse>& response);

}  // namespace slipway::api::oip

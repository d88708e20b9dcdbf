// The description of /api/v1, which src/api/openapi/*.yaml hold.
#pragma once

#include <string_view>

#include "http/http.h"

namespace slipway::api {

/// GET /api/v1/openapi.json. Runs on the event loop, never blocks.
void add_openapi(http::Router& router);

/// The document, an OpenAPI 3.1 description in JSON.
std::string_view openapi_document();

}  // namespace slipway::api

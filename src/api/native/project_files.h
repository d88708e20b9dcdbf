// POST /api/v1/project_files/read: what a slipway.yaml offers, for those who do not read its grammar themselves.
#pragma once

#include "http/http.h"

namespace slipway::api {

/// Body: {text}. Answers its steps, with what a form needs to start one, and the names of its pipelines; all in the
/// file's order. Nothing is kept. A mistake in the file is invalid_argument, in a sentence that names its line.
void add_project_files(http::Router& router);

}  // namespace slipway::api

// /api/v1/retention: the rules of a project for what is deleted of its runs, and what they would let go;
// /api/v1/usage/bytes: what it takes.
#pragma once

#include "http/http.h"
#include "retention/retention.h"

namespace slipway::api {

/// Both outlive the router's use.
void add_retention(http::Router& router, retention::Keeper& keeper, retention::Usage& usage);

}  // namespace slipway::api

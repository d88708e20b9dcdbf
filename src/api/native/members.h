// /api/v1/login, members, tokens, projects.
#pragma once

#include "http/http.h"
#include "teams/teams.h"

namespace slipway::api {

/// Both outlive the router's use.
void add_members(http::Router& router, teams::Teams& teams);

}  // namespace slipway::api

// The audit trail, for admins.
#pragma once

#include "http/http.h"
#include "teams/teams.h"

namespace slipway::api {

void add_audit(http::Router& router, teams::Teams& teams);

}  // namespace slipway::api

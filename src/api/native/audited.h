// The requests whose success is a line of the audit trail, whichever protocol they come by.
#pragma once

#include "http/http.h"
#include "teams/teams.h"

namespace slipway::api {

/// Puts the trail around every route of the table in audited.cc. After all add_…, before add_idempotency(), so that an
/// answer that is only repeated adds no line; a route that does not exist is a CHECK failure.
///
/// The line is committed in the same transaction as the first thing that the request writes: none is lost by a kill,
/// and a request that is refused before it wrote leaves none. What writes on threads of its own gets its line before
/// the answer.
void audit_actions(http::Router& router, teams::Teams& teams);

}  // namespace slipway::api

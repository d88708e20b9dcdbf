// GET /api/v1/events: what changes in a project, as Server-Sent Events.
#pragma once

#include "api/events_hub.h"
#include "http/http.h"

namespace slipway::api {

void add_events(http::Router& router, EventsHub& hub);

}  // namespace slipway::api

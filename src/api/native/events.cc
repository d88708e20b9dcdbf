#include "api/native/events.h"

#include "api/api.h"

namespace slipway::api {

void add_events(http::Router& router, EventsHub& hub) {
  router.add(http::Method::get, "/api/v1/events",
             [&hub](http::Request& request, http::Responder responder) {
               const auto subscribed = hub.subscribe(project_of(request), responder);
               if (!subscribed.ok()) responder.send(error_response(subscribed.error()));
             },
             {.where = http::Where::on_loop});
}

}  // namespace slipway::api

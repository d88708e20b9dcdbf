// The web UI, served from inside the program.
#pragma once

#include <string_view>

#include "api/assets.h"
#include "http/http.h"

namespace slipway::api {

/// Becomes the router's fallback. A GET that no route knows is one of the UI's files; `index.html` when a browser asks
/// for any other path (the UI reads the path itself); 404 for the rest. Other methods keep their 404 or 405, in the
/// native form of errors. Runs on the event loop, never blocks.
void add_ui(http::Router& router);

/// What a GET or HEAD that no route knows is answered with. Pure, for tests.
http::Response ui_response(const http::Request& request, const Assets& assets);

}  // namespace slipway::api

// The web UI, served from inside the program.
#pragma once

#include <string>
#include <string_view>

#include "api/assets.h"
#include "http/http.h"

namespace slipway::api {

/// Becomes the router's fallback. A GET that no route knows is one of the UI's files; `index.html` when a browser asks
/// for any other path (the UI reads the path itself); 404 for the rest. Other methods keep their 404 or 405, in the
/// native form of errors. Behind a proxy that shows the server below `static_prefix` ("/lab") every address in the page
/// begins with that; the gate takes it off again. Runs on the event loop, never blocks.
void add_ui(http::Router& router, const std::string& static_prefix = "");

/// What a GET or HEAD that no route knows is answered with. Pure, for tests.
http::Response ui_response(const http::Request& request, const Assets& assets, std::string_view static_prefix = "");

}  // namespace slipway::api

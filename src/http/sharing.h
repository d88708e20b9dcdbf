// Letting a web page of another origin read an answer (CORS, the Fetch standard). Whether it may is decided by a gate,
// before the handler; the fields are added to whatever the handler answers.
#pragma once

#include <string_view>

#include "http/http.h"

namespace slipway::http {

/// The answer to `request` may be read by pages of `origin`; "" by none, whatever the client sent.
void share_answer(Request& request, std::string_view origin);
/// Adds the fields that say so to an answer.
void add_sharing(const Request& request, Response& response);

/// What a browser asks before a page may call: an OPTIONS with Access-Control-Request-Method.
bool is_preflight(const Request& request);
/// The answer to it, for an origin that may: any method, the headers it asked for, good for ten minutes.
Response preflight_answer(const Request& request);

}  // namespace slipway::http

// From a request's head to its route: what needs no socket.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <functional>
#include <optional>
#include <string>

#include "http/exchange.h"
#include "http/http.h"
#include "http/router_impl.h"

namespace slipway::http {

using HeadParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

/// What to answer to bytes that are no request; nullopt when the connection itself failed and nobody is there to read
/// it.
std::optional<Response> answer_to_bad_head(boost::system::error_code problem, size_t head_bytes_max);

/// Fills method, target, path, query and headers, emptying the rest; an answer when the head is no request for us.
std::optional<Response> fill_request(const HeadParser& head, Request& request);

/// Runs the gates, then finds the route and fills the parameters; an answer when there is none.
std::optional<Response> find_route(const Router::Impl& router, Request& request, const Route*& route);

Response body_too_large(const Request& request, const Route& route);

/// Undoes the Content-Encoding of the body. False when that failed and was answered.
bool open_body(Request& request, const Route& route, const Responder& responder);

/// A handler's exception is our bug, and this request's end only.
void call_handler(Exchange& exchange, const std::function<void()>& body);

/// "1f4\r\n".
std::string chunk_head(size_t bytes);

}  // namespace slipway::http

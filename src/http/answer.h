// What an answer looks like on the wire: its head, the refusals that never reach a handler, and its compression. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/encoding.h"
#include "http/http.h"

namespace slipway::http {

/// The answer to what never reached a handler, in the form of every error: {"error": {"code", "message", "details"}}. A
/// 429 or 503 asks to come back in a second.
Response refusal(int status, std::string_view code, std::string_view message);

/// How the body that follows a head is framed, and what becomes of the connection.
struct Framing {
  std::optional<std::uint64_t> length;
  bool chunked = false;
  bool keep_alive = true;
  bool is_http_1_0 = false;
};

/// Status line and fields up to the empty line. A field whose name or value could write lines of its own is left out
/// (and logged), and so is what is the server's business: Content-Length, Transfer-Encoding, Connection, Date.
std::string render_head(const Response& response, const Framing& framing);

/// 204, 304 and 1xx never have a body, whatever a handler put there.
bool may_have_body(int status);

/// Compresses the body with what the client accepts, when it pays.
void compress(Response& response, Encoding accepted);

}  // namespace slipway::http

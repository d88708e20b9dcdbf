// The server's side of one WebSocket (RFC 6455), after its request was routed and passed the gates.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include "http/connection.h"

namespace slipway::http {

inline constexpr size_t kWebSocketMessageBytesMax =
    1 << 20;  // of a message in: past it the connection is closed with 1009
inline constexpr size_t kWebSocketQueueBytesMax = 4 << 20;  // waiting to go out: past it send() answers false

using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;

/// Whether a head asks for a WebSocket in the version we speak (13).
bool is_websocket_upgrade(const UpgradeRequest& head);

/// Answers the upgrade, hands the WebSocket to `handler` on this event loop, and runs until it ends. `upgraded` points
/// at what closes it for as long as it runs.
template <typename Stream>
boost::asio::awaitable<void> serve_websocket(Stream stream, UpgradeRequest head, const WebSocketHandler& handler,
                                             Request& request, Closable*& upgraded);

}  // namespace slipway::http

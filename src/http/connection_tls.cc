#include "http/connection_impl.h"

namespace slipway::http {

void serve_tls(std::shared_ptr<Shared> shared, const std::shared_ptr<Loop>& loop, tcp::socket socket,
               std::shared_ptr<asio::ssl::context> tls) {
  asio::ssl::stream<tcp::socket> stream(std::move(socket), *tls);
  start_connection<asio::ssl::stream<tcp::socket>>(std::move(shared), loop, std::move(stream), std::move(tls));
}

}  // namespace slipway::http

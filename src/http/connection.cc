#include "http/connection_impl.h"

namespace slipway::http {

void serve(std::shared_ptr<Shared> shared, const std::shared_ptr<Loop>& loop, tcp::socket socket) {
  start_connection<tcp::socket>(std::move(shared), loop, std::move(socket), nullptr);
}

}  // namespace slipway::http

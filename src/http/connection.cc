#include "base/afterwards.h"
#include "http/connection_impl.h"

namespace slipway::http {
namespace {

void rouse_woken(Loop& loop) {
  std::vector<std::weak_ptr<Rousable>> woken;
  woken.swap(*loop.woken.lock());
  for (const auto& sleeper : woken) {
    if (const auto awake = sleeper.lock()) awake->rouse();
  }
}

}  // namespace

void wake(const std::shared_ptr<Loop>& loop, std::weak_ptr<Rousable> sleeper) {
  {
    auto woken = loop->woken.lock();
    woken->push_back(std::move(sleeper));
    if (woken->size() > 1) return;  // whoever came first has the loop look
  }
  // The task inside the loop does not own it, or it would own itself.
  Afterwards::run([loop] { asio::post(loop->context, [raw = loop.get()] { rouse_woken(*raw); }); });
}

void serve(std::shared_ptr<Shared> shared, const std::shared_ptr<Loop>& loop, tcp::socket socket) {
  start_connection<tcp::socket>(std::move(shared), loop, std::move(socket), nullptr);
}

}  // namespace slipway::http

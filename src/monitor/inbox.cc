#include "monitor/inbox.h"

namespace slipway::monitor {

bool Inbox::reserve(std::uint64_t bytes) {
  const bool fits = waiting_.fetch_add(1) < kMonitorWaitingMax;
  if (waiting_bytes_.fetch_add(bytes) + bytes <= kMonitorWaitingBytesMax && fits) return true;
  give_back(bytes);
  return false;
}

void Inbox::give_back(std::uint64_t bytes) {
  waiting_.fetch_sub(1);
  waiting_bytes_.fetch_sub(bytes);
}

void Inbox::put(Served&& served, std::uint64_t bytes) {
  bool wake = false;
  {
    auto state = state_.lock();
    state->served.push_back(std::move(served));
    state->bytes += bytes;
    wake = std::exchange(state->is_asleep, false);
  }
  if (wake) changed_.notify_one();
}

bool Inbox::run(Task task) {
  {
    auto state = state_.lock();
    if (state->closed) return false;
    state->tasks.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

Inbox::Taken Inbox::take(std::chrono::steady_clock::time_point deadline) {
  Taken taken;
  std::uint64_t bytes = 0;
  {
    auto state = state_.lock();
    const auto is_urgent = [&] { return state->closed || !state->tasks.empty(); };
    state->is_asleep = state->served.empty();
    state.wait_until(changed_, deadline, [&] { return is_urgent() || !state->served.empty(); });
    state->is_asleep = false;
    if (!state->served.empty())
      state.wait_until(changed_, std::chrono::steady_clock::now() + kMonitorGatherTime, is_urgent);
    taken.served.swap(state->served);
    taken.tasks.swap(state->tasks);
    bytes = std::exchange(state->bytes, 0);
    taken.closed = state->closed && taken.served.empty() && taken.tasks.empty();
  }
  waiting_.fetch_sub(taken.served.size());
  waiting_bytes_.fetch_sub(bytes);
  return taken;
}

void Inbox::close() {
  state_.lock()->closed = true;
  changed_.notify_one();
}

}  // namespace slipway::monitor

#include "catalog/wal_sync.h"

#include "base/afterwards.h"
#include "base/log.h"

namespace slipway::catalog {

WalSync::WalSync(UniqueFd wal, std::filesystem::path path, Duration stream_interval, WriteCounters& counters)
    : wal_(std::move(wal)),
      path_(std::move(path)),
      stream_interval_(stream_interval),
      counters_(counters),
      thread_("db-sync-0", [this] { loop(); }) {}

WalSync::~WalSync() {
  state_.lock()->closed = true;
  changed_.notify_one();
  thread_.join();
}

void WalSync::committed(std::vector<Completion> waiting) {
  bool is_news = !waiting.empty();  // a further stream within the interval changes nothing for the thread
  {
    auto state = state_.lock();
    is_news = is_news || !state->dirty_since;
    if (!state->dirty_since) state->dirty_since = system_clock().steady();
    for (Completion& done : waiting) state->waiting.push_back(std::move(done));
  }
  if (is_news) changed_.notify_one();
}

std::optional<Error> WalSync::failure() { return state_.lock()->failed; }

void WalSync::loop() {
  while (true) {
    std::vector<Completion> waiting;
    {
      auto state = state_.lock();
      state.wait(changed_, [&] { return state->closed || state->dirty_since.has_value(); });
      if (!state->dirty_since) return;
      const auto left = *state->dirty_since + stream_interval_ - system_clock().steady();
      state.wait_until(changed_, std::chrono::steady_clock::now() + left,
                       [&] { return state->closed || !state->waiting.empty(); });
      waiting.swap(state->waiting);
      state->dirty_since.reset();
    }
    const auto result = sync();
    const Afterwards wake_together;
    for (const Completion& done : waiting) done(result);
  }
}

Result<void> WalSync::sync() {
  if (const auto failed = failure()) return *failed;
  const Time start = system_clock().steady();
  const auto synced = sync_file(wal_.get(), path_);
  counters_.syncs.add();
  counters_.sync.record(system_clock().steady() - start);
  if (synced.ok()) return {};
  const Error error{ErrorCode::unavailable,
                    synced.error().message +
                        "; what was written last may be lost with the power, and nothing more is "
                        "accepted: look at the disk, then start the server again"};
  log_error("catalog", error.message);
  state_.lock()->failed = error;
  return error;
}

}  // namespace slipway::catalog

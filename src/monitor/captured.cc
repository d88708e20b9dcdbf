#include "monitor/captured.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace slipway::monitor {

Result<std::unique_ptr<CapturedRequests>> CapturedRequests::open(const CapturedOptions& options) {
  RequestLog log = TRY(RequestLog::open(options.folder));
  return std::unique_ptr<CapturedRequests>(new CapturedRequests(options, std::move(log)));
}

CapturedRequests::CapturedRequests(const CapturedOptions& options, RequestLog log)
    : options_(options), state_(State{std::move(log), {}, {}, false}) {
  thread_ = Thread("captured-sync", [this] { loop(); });
}

CapturedRequests::~CapturedRequests() {
  state_.lock()->closed = true;
  changed_.notify_all();
  thread_.join();
  // A segment that owes nothing goes with us, so that an orderly end leaves nothing to read.
  state_.lock()->log.roll();
}

Result<Place> CapturedRequests::accept(const PredictionServed& prediction, CaseReason reason) {
  thread_local RecordBatch batch;
  batch.clear();
  batch.add(prediction, reason);
  Place place;
  Dirty segment;
  bool was_clean = false;
  {
    auto state = state_.lock();
    if (state->failed) return *state->failed;
    if (state->log.bytes() + batch.bytes().size() > options_.bytes_max) {
      return Error{ErrorCode::busy, fmt::format("{} of captured requests wait to become cases, which is the limit",
                                                render_bytes(state->log.bytes()))};
    }
    place = TRY(state->log.append(batch)).front();
    segment = state->log.newest();
    was_clean = state->dirty.empty();
    if (std::ranges::find(state->dirty, segment) == state->dirty.end()) state->dirty.push_back(segment);
  }
  if (was_clean) changed_.notify_all();
  // Each for itself: who took the list of the dirty ones may still be at it.
  if (options_.sync_first) TRY(sync({segment}));
  return place;
}

void CapturedRequests::release(const Place& place) { state_.lock()->log.release(place); }

void CapturedRequests::replay(const std::function<void(const Place&, RequestRecord)>& visit) {
  state_.lock()->log.replay(visit);
}

std::optional<Error> CapturedRequests::failure() { return state_.lock()->failed; }

Result<void> CapturedRequests::sync(const std::vector<Dirty>& segments) {
  const auto sync_all = [&]() -> Result<void> {
    for (const Dirty& segment : segments) TRY(sync_file(segment->file.get(), segment->path));
    if (segments.empty() || segments.back()->number <= named_.load()) return {};
    TRY(sync_directory(options_.folder));
    named_ = segments.back()->number;
    return {};
  };
  auto synced = sync_all();
  if (!synced.ok()) state_.lock()->failed = synced.error();
  return synced;
}

void CapturedRequests::loop() {
  while (true) {
    std::vector<Dirty> dirty;
    {
      auto state = state_.lock();
      state.wait(changed_, [&] { return state->closed || !state->dirty.empty(); });
      if (state->dirty.empty()) return;
      // Others may write in the meantime; half of the interval is left for the disk.
      state.wait_until(changed_, std::chrono::steady_clock::now() + kCapturedSyncInterval / 2,
                       [&] { return state->closed; });
      dirty.swap(state->dirty);
    }
    const auto synced = sync(dirty);
    if (synced.ok()) continue;
    log_error("monitor", "captured requests could not be synced; no more are kept until the server is started again",
              {{"error", synced.error().message}});
    return;
  }
}

}  // namespace slipway::monitor

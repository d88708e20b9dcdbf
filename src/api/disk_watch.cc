#include "api/disk_watch.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "api/api.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace slipway::api {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);
constexpr std::uint64_t kClearlyAboveShare = 16;  // the mark and a sixteenth of it

/// Below these nothing is added: predictions, questions that need a body, what makes room, who may come in.
constexpr std::string_view kReadingPrefixes[] = {
    "/v2/",
    "/v1/",
    "/api/v1/gc",
    "/api/v1/store/verify",
    "/api/v1/blobs/read",
    "/api/v1/blobs/missing",
    "/api/v1/login",
    "/api/v1/backups",  // looks for room itself
    "/api/v1/metrics/histories",
    "/api/v1/media/",
    "/api/v1/project_files/read",
    "/api/v1/deployments/",  // what answers can be stopped, restarted and led elsewhere
};
/// Ends of paths: questions of MLflow's protocol that are asked with a body, its ways of removing; and what keeps a
/// run's row true (a few bytes, from the room that is kept for them).
constexpr std::string_view kReadingEndings[] = {
    "/search", "/get-latest-versions", "/delete", "/delete-tag", "/delete-experiment-tag",
    "/stop",   "/heartbeat",           "/end",    "/alias",
};
constexpr std::string_view kMovedAlias = "/aliases/";  // the way back to an earlier version must stay open

}  // namespace

bool is_low(bool was_low, std::uint64_t bytes_free, std::uint64_t bytes_free_min) {
  const std::uint64_t margin = was_low ? bytes_free_min / kClearlyAboveShare : 0;
  return bytes_free < bytes_free_min || bytes_free - bytes_free_min < margin;
}

bool adds(http::Method method, std::string_view path) {
  using http::Method;
  if (method == Method::get || method == Method::head || method == Method::options || method == Method::del)
    return false;
  if (std::ranges::any_of(kReadingPrefixes, [&](std::string_view prefix) { return path.starts_with(prefix); }))
    return false;
  if (path.find(kMovedAlias) != std::string_view::npos) return false;
  return std::ranges::none_of(kReadingEndings, [&](std::string_view ending) { return path.ends_with(ending); });
}

DiskWatch::DiskWatch(std::filesystem::path folder, std::uint64_t bytes_free_min, Counters& counters)
    : folder_(std::move(folder)),
      free_(counters.gauge("disk_free_bytes", "Free bytes on the disk of the data folder")),
      low_(counters.gauge("disk_low", "1 while writes are refused because the disk is nearly full")) {
  state_.lock()->bytes_free_min = bytes_free_min;
  look();
  thread_ = Thread("disk-watch", [this] { loop(); });
}

DiskWatch::~DiskWatch() {
  *closed_.lock() = true;
  changed_.notify_all();
  thread_.join();
}

void DiskWatch::loop() {
  while (true) {
    {
      auto closed = closed_.lock();
      if (closed.wait_until(changed_, std::chrono::steady_clock::now() + kLookInterval, [&] { return *closed; }))
        return;
    }
    look();
  }
}

void DiskWatch::look() {
  const auto bytes_free = free_disk_bytes(folder_);
  if (!bytes_free.ok()) return;  // whoever writes will be told
  bool was_low = false;
  DiskState now;
  {
    auto state = state_.lock();
    was_low = state->low;
    state->bytes_free = *bytes_free;
    state->low = is_low(was_low, *bytes_free, state->bytes_free_min);
    now = *state;
  }
  free_.set(static_cast<std::int64_t>(now.bytes_free));
  low_.set(now.low);
  if (now.low && !was_low) {
    log_warning("api", "the disk is nearly full: writes are refused until there is room again",
                {{"folder", folder_.string()},
                 {"free", render_bytes(now.bytes_free)},
                 {"kept_free", render_bytes(now.bytes_free_min)}});
  }
  if (!now.low && was_low)
    log_info("api", "there is room on the disk again: writes are taken", {{"free", render_bytes(now.bytes_free)}});
}

http::Router::Gate make_low_disk_gate(DiskWatch& watch) {
  return [&watch](http::Request& request) -> std::optional<http::Response> {
    const DiskState state = watch.state();
    if (!state.low || !adds(request.method, request.path)) return std::nullopt;
    return error_response(
        {ErrorCode::busy,
         fmt::format(
             "the disk that holds {} has {} free, and {} are kept free (--disk-free-min): nothing more is written until there is room, reading goes on. `slipway gc` removes what nothing refers to",
             watch.folder().string(), render_bytes(state.bytes_free), render_bytes(state.bytes_free_min))});
  };
}

}  // namespace slipway::api

// The room on the data folder's disk. Below a mark the server takes no more writes, while there is still room to end
// what is under way cleanly; reading, answering predictions, and whatever makes room go on.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/counters.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "http/http.h"

namespace slipway::api {

/// Below the mark, or not yet clearly above it again: a disk that is being filled must not flap.
bool is_low(bool was_low, std::uint64_t bytes_free, std::uint64_t bytes_free_min);

/// Whether a request would add something to the disk. What only reads, removes, or ends something does not.
bool adds(http::Method method, std::string_view path);

struct DiskState {
  std::uint64_t bytes_free = 0, bytes_free_min = 0;
  bool low = false;
};

/// Looks once a second. Thread: `disk-watch`.
class DiskWatch {
 public:
  DiskWatch(std::filesystem::path folder, std::uint64_t bytes_free_min, Counters& counters);
  ~DiskWatch();
  DiskState state() { return *state_.lock(); }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  void loop();
  void look();

  const std::filesystem::path folder_;
  Gauge &free_, &low_;
  std::condition_variable changed_;
  Guarded<DiskState> state_;
  Guarded<bool> closed_{false};
  Thread thread_;
};

/// Answers 503 with a sentence to what adds(), as long as the disk is low. `watch` outlives the gate.
http::Router::Gate make_low_disk_gate(DiskWatch& watch);

}  // namespace slipway::api

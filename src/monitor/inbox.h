// What waits for the monitor's thread: bounded by count and bytes, and woken for as rarely as can be, because those who
// put something in are answering requests.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "monitor/request_log.h"

namespace slipway::monitor {

inline constexpr size_t kMonitorWaitingMax = 8192;
inline constexpr std::uint64_t kMonitorWaitingBytesMax = 256 << 20;
inline constexpr Duration kMonitorGatherTime =
    std::chrono::milliseconds(5);  // how long the first of a batch waits for others

/// A request on its way to the thread.
struct Served {
  PredictionServed prediction;
  std::optional<CaseReason> reason;  // it becomes a case, because of this
  Place place;                       // in the log of captured requests, when there is a reason
};

class Inbox {
 public:
  using Task = std::function<void()>;
  struct Taken {
    std::vector<Served> served;
    std::vector<Task> tasks;  // put in after some of `served`, and after nothing else
    bool closed = false;      // and nothing is left
  };

  /// Keeps room for one; false when there is none. Whoever gets true puts something in or gives the room back.
  bool reserve(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);
  /// Into the room that reserve() kept.
  void put(Served&& served, std::uint64_t bytes);
  /// Has the thread run `task` when it has taken everything that was put in before; false once closed.
  bool run(Task task);

  /// Waits for something, and then a little for more; at most until `deadline` (steady). One thread.
  Taken take(std::chrono::steady_clock::time_point deadline);
  void close();

 private:
  struct State {
    std::vector<Served> served;
    std::vector<Task> tasks;
    std::uint64_t bytes = 0;  // of `served`
    bool is_asleep = false;   // the thread waits for a first one
    bool closed = false;
  };

  std::atomic<size_t> waiting_{0};
  std::atomic<std::uint64_t> waiting_bytes_{0};
  std::condition_variable changed_;
  Guarded<State> state_;
};

}  // namespace slipway::monitor

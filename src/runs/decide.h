// What happens to runs, decided purely from what is known and what time it is: who starts, who is lost, who tries
// again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "domain/attempt.h"
#include "domain/run_spec.h"

namespace slipway::runs {

// --- placement -----------------------------------------------------------------------------------------------------

/// What a node has, or what of it is taken.
struct Capacity {
  double cpus = 0;
  std::uint64_t memory_bytes = 0;
  std::int64_t gpus = 0;
};

struct QueuedRun {
  RunId run;
  Resources resources;
  Time queued_at;
  Time not_before;  // a retry waits
};

/// A younger run may take the place that an older one does not fit into, but no longer than this: then the older one's
/// turn is kept free for it.
inline constexpr Duration kPassOverMax = std::chrono::minutes(10);

/// What a run takes of a node: never more cores than the node has, so that a step written for a larger machine runs
/// here too.
Capacity share_of(const Resources& resources, const Capacity& node);

/// Why the node can never run it (too much memory, too many accelerators, more than one node), or empty.
std::string never_fits(const Resources& resources, const Capacity& node);

/// Which of `queued` (oldest first) start now.
std::vector<RunId> place(const Capacity& node, const std::vector<Resources>& running,
                         const std::vector<QueuedRun>& queued, Time now);

// --- life and death of an attempt ----------------------------------------------------------------------------------

inline constexpr Duration kGoneGrace = std::chrono::seconds(5);      // between a runner's last report and its exit
inline constexpr Duration kFirstSignMax = std::chrono::seconds(60);  // from the start to the first heartbeat
inline constexpr Duration kSilentMax = std::chrono::minutes(5);      // without heartbeat, though its process lives

/// From the claim of a run to the word that its runner was started; longer, and the server that claimed it was killed.
inline constexpr Duration kStartPatience = std::chrono::seconds(5);

struct AttemptSigns {
  Time started_at;
  std::optional<Time> heartbeat_at;
  bool process_known = false;  // pid and start ticks were written down
  bool process_alive = false;
  Time watched_since;  // silence before that was ours: the server was away
};

/// The reason in words why the attempt is lost, or nullopt while it may live.
std::optional<std::string> why_lost(const AttemptSigns& signs, Time now);

// --- after the end -------------------------------------------------------------------------------------------------

/// What the run becomes when an attempt has ended.
struct Finish {
  RunState state;
};
struct TryAgain {
  Duration wait;
};
using Next = std::variant<Finish, TryAgain>;

Next after_end(const AttemptResult& result, const Retry& retry, std::int64_t attempts_made, bool stop_asked);

}  // namespace slipway::runs

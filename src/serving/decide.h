// What serving decides, as functions of what is known and what time it is: when to send a batch, how many replicas
// there should be, when to try a dead one again.
#pragma once

#include <variant>

#include "base/clock.h"

namespace slipway::serving {

struct BatchLimits {
  int requests_max = 1;
  Duration delay{0};  // how long the first may wait for others
};

struct Send {
  int count;
};
struct WaitUntil {
  Time time;
};
struct Idle {};
using BatchDecision = std::variant<Idle, WaitUntil, Send>;

/// What to do for a replica with a free slot. `replica_is_idle` is false when it still runs another batch: then one
/// more frame may lie ready in its socket, but only one that would not grow by waiting.
BatchDecision decide_batch(const BatchLimits& limits, int waiting, Time oldest, Time now, bool replica_is_idle);

struct ScaleLimits {
  int min = 1, max = 1;
};
struct Load {
  int replicas = 0;  // that run or start
  int starting = 0;
  int waiting = 0;  // requests in the queue
  Duration oldest_wait{0};
  Duration idle{0};  // since the last request
};

inline constexpr Duration kScaleUpWait = std::chrono::milliseconds(250);
inline constexpr Duration kScaleDownIdle = std::chrono::seconds(60);

/// One more when requests wait too long and nothing is starting already, one less when nobody came for a while.
int replicas_wanted(const ScaleLimits& limits, const Load& load);

inline constexpr Duration kRestartDelayMin = std::chrono::milliseconds(100);
inline constexpr Duration kRestartDelayMax = std::chrono::seconds(30);
/// A replica that lived this long starts over at the shortest delay when it dies.
inline constexpr Duration kHealthyAfter = std::chrono::seconds(30);

/// How long to wait before the next start after so many deaths in a row; doubles each time.
Duration restart_delay(int deaths_in_a_row);

}  // namespace slipway::serving

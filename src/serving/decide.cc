#include "serving/decide.h"

#include <algorithm>

namespace slipway::serving {

BatchDecision decide_batch(const BatchLimits& limits, int waiting, Time oldest, Time now, bool replica_is_idle) {
  if (waiting == 0) return Idle{};
  if (waiting >= limits.requests_max) return Send{limits.requests_max};
  if (!replica_is_idle) return Idle{};
  if (now - oldest >= limits.delay) return Send{waiting};
  return WaitUntil{oldest + limits.delay};
}

int replicas_wanted(const ScaleLimits& limits, const Load& load) {
  const int least = std::max(limits.min, load.waiting > 0 ? std::min(1, limits.max) : 0);
  if (load.replicas < least) return least;
  if (load.replicas > limits.max) return limits.max;
  if (load.starting == 0 && load.oldest_wait > kScaleUpWait && load.replicas < limits.max) return load.replicas + 1;
  if (load.idle > kScaleDownIdle && load.replicas > limits.min) return load.replicas - 1;
  return load.replicas;
}

Duration restart_delay(int deaths_in_a_row) {
  if (deaths_in_a_row <= 0) return Duration(0);
  const int doublings = std::min(deaths_in_a_row - 1, 20);
  return std::min(kRestartDelayMax, kRestartDelayMin * (1 << doublings));
}

}  // namespace slipway::serving

#include "runner/watch.h"

namespace slipway::runner {

WatchDecision decide(const Limits& limits, const WatchFacts& facts, Time now) {
  if (facts.is_over_memory) return Kill{};  // at once: what waits takes the memory of others meanwhile
  if (facts.terminated) {
    const Duration grace = facts.why == AttemptEnd::stopped && facts.stop_grace ? *facts.stop_grace : limits.grace;
    const Time kill_at = *facts.terminated + grace;
    if (now >= kill_at) return Kill{};
    return Wait{kill_at};
  }
  if (facts.stop_asked) return Terminate{AttemptEnd::stopped};
  Time next{INT64_MAX};
  if (limits.time) {
    const Time end = facts.started + *limits.time;
    if (now >= end) return Terminate{AttemptEnd::time_limit};
    next = std::min(next, end);
  }
  if (limits.silence) {
    const Time end = std::max(facts.last_output, facts.started) + *limits.silence;
    if (now >= end) return Terminate{AttemptEnd::silence_limit};
    next = std::min(next, end);
  }
  return Wait{next};
}

}  // namespace slipway::runner

// When a running command must be ended. Pure, so that a test can play a day of it.
#pragma once

#include <optional>
#include <variant>

#include "base/clock.h"
#include "domain/project_file.h"
#include "domain/run.h"

namespace slipway::runner {

/// What is known of the command while it runs; times are of the steady clock.
struct WatchFacts {
  Time started;
  Time last_output;                     // equals `started` before the first byte
  std::optional<Time> stop_asked;       // a person, or the server
  std::optional<Duration> stop_grace;   // theirs, in place of the step's own
  bool is_over_memory = false;          // it uses more than its step asks for
  std::optional<Time> terminated;       // when SIGTERM was sent
  AttemptEnd why = AttemptEnd::exited;  // and why
};

struct Wait {
  Time until;
};  // nothing to do before
struct Terminate {
  AttemptEnd why;
};               // send SIGTERM to the group
struct Kill {};  // the grace is over, or the memory: SIGKILL to everyone
using WatchDecision = std::variant<Wait, Terminate, Kill>;

WatchDecision decide(const Limits& limits, const WatchFacts& facts, Time now);

}  // namespace slipway::runner

// The loop of runs: at its own pace it starts what fits, finds what is lost, and sees to it that what should stop
// stops. It keeps nothing that a restart would lose: everything is read from the rows, processes are found again by pid
// and start time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <set>

#include "base/counters.h"
#include "base/thread.h"
#include "domain/credentials.h"
#include "runs/executor.h"
#include "runs/runs.h"

namespace slipway::runs {

struct LoopOptions {
  std::string server_url;  // what runners and commands call
  Duration interval = std::chrono::milliseconds(500);
  Duration token_lifetime = std::chrono::hours(24 * 30);
  Duration stop_patience = std::chrono::seconds(60);  // past the grace period, before the runner is killed
};

/// Thread: `runs-loop`. Everything given outlives it.
class Loop {
 public:
  Loop(Runs& runs, Executor& executor, TokenIssuer& tokens, const Clock& clock, Counters& counters,
       LoopOptions options);
  ~Loop();

  /// Starts the thread; from now on changes wake it.
  void start();
  /// One round. Called by the thread, and by tests.
  void step();
  /// The thread ends; runs go on.
  void stop();

 private:
  void work();
  void look_after(const Runs::Open& open, Time now);
  void place(const std::vector<Runs::Open>& all, Time now);
  void begin(const Execution& execution);
  void launch(const Execution& execution, const AttemptId& id);
  void take_up(const Execution& execution, const Attempt& attempt);

  Runs& runs_;
  Executor& executor_;
  TokenIssuer& tokens_;
  const Clock& clock_;
  const LoopOptions options_;
  const Time watched_since_;
  Counter& started_;
  Counter& lost_;
  Gauge& queued_;
  Gauge& running_;
  std::map<RunId, bool> had_token_;  // the loop's thread alone
  struct Wake {
    bool changed = false, ending = false;
  };
  Guarded<Wake> wake_;
  std::condition_variable woken_;
  Thread thread_;
};

}  // namespace slipway::runs

// An executor gets `slipway runner` started on a node, finds it again, says whether it lives, and can end it the hard
// way. Everything else passes between runner and server over HTTP.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "domain/attempt.h"
#include "runs/decide.h"

namespace slipway::runs {

/// Names a process for good: its pid and when the machine started it.
struct StartedRunner {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string node() const = 0;
  virtual Capacity capacity() const = 0;
  virtual Result<StartedRunner> start(const Ticket& ticket) = 0;
  virtual bool is_alive(const StartedRunner& runner) = 0;
  /// The runner of an attempt whose start nobody wrote down, if it lives.
  virtual std::optional<StartedRunner> find(const AttemptId& attempt) = 0;
  /// SIGKILL to the runner and to whatever still runs for that attempt.
  virtual void kill(const StartedRunner& runner, const AttemptId& attempt) = 0;
};

struct LocalExecutorOptions {
  std::filesystem::path program;   // `slipway`; empty: beside the running program
  std::filesystem::path folder;    // of the node, absolute: tickets, runner logs, attempts, cache, environments
  double cpus = 0;                 // 0: all of the machine's
  std::uint64_t memory_bytes = 0;  // 0: all of the machine's
};

/// Runners on this machine, each in a session of its own, so that they outlive the server.
Result<std::unique_ptr<Executor>> make_local_executor(const LocalExecutorOptions& options);

}  // namespace slipway::runs

// The front door of runner: the node side of a run. `slipway runner --ticket FILE` executes one attempt: it prepares
// the environment, lays out code and inputs by hash, runs the command, tells the server what happens, uploads the
// outputs and reports the end. It talks to the server by HTTP alone, and goes on without it when it is away.
#pragma once

#include <atomic>

#include "runner/environment.h"
#include "runner/link.h"
#include "runner/outputs.h"
#include "runner/snapshot.h"

namespace slipway::runner {

struct RunnerOptions {
  std::filesystem::path uv;
  /// Set from a signal handler or a test: end the command with its grace period.
  const std::atomic<bool>* stop = nullptr;
  Duration heartbeat_interval = std::chrono::seconds(1);
  Duration sample_interval = std::chrono::seconds(2);
  Duration server_away_max = std::chrono::hours(24);  // how long the end waits for a server that is away
  std::string gpu_program;                            // nvidia-smi; empty: accelerators are not watched
  bool keep_folder = false;                           // leave the attempt's folder for a look
};

/// One attempt from beginning to end. `link` is used by the calling thread, `reports` by the reporter's. Answers what
/// was reported as the end (also when the server would not hear it).
AttemptResult run_attempt(const Ticket& ticket, Link& link, std::unique_ptr<Link> reports, const RunnerOptions& options,
                          const Clock& clock);

/// The program `slipway runner`: reads and removes the ticket, obeys SIGTERM and SIGINT. Exit code 0 when the end was
/// reported, whatever it was.
int runner_main(const std::filesystem::path& ticket_file);

}  // namespace slipway::runner

// Which processes should run: starts, buries and ends workers.
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/log.h"
#include "serving/supervisor.h"

namespace slipway::serving {
namespace {

constexpr Duration kWorkerGrace = std::chrono::milliseconds(500);
constexpr int kDeathsBeforeReadyMax = 5;  // of a revision that never answered; then it counts as failed

}  // namespace

void Supervisor::keep(Endpoint& endpoint, Running& running, bool is_next) {
  Generation& generation = *running.generation;
  for (const auto& replica : generation.hung()) {
    log_warning("serving", "a worker owes an answer, or loads its model, for too long and is ended",
                {{"deployment", endpoint.facts().name}, {"replica", replica->id.text}});
    replica->process.signal(SIGKILL);
  }
  bury(endpoint, running);
  generation.expire();
  if (!running.fatal.empty()) return;
  ScaleLimits limits;
  {
    auto state = endpoint.lock();
    limits = {state->row.spec.replicas_min, state->row.spec.replicas_max};
  }
  // Until it has shown that it can answer, a revision needs somebody to show it.
  if (is_next) limits.min = std::max(1, limits.min);
  const Load load = generation.load();
  const int wanted = replicas_wanted(limits, load);
  if (load.replicas > wanted) generation.retire_one();
  for (int missing = wanted - load.replicas; missing > 0 && parts_.clock.steady() >= running.next_start; --missing)
    start_one(endpoint, running);
  for (const auto& replica : generation.replicas()) {
    if (generation.is_idle_and_draining(*replica)) ::shutdown(replica->channel.socket(), SHUT_RDWR);
  }
}

void Supervisor::bury(Endpoint& endpoint, Running& running) {
  for (const auto& replica : running.generation->bury()) {
    parts_.answers.forget(*replica);
    const ExitStatus status = replica->process.stop(kWorkerGrace);
    if (replica->failure.empty()) continue;  // it was told to end
    restarts_.add();
    const Time now = parts_.clock.steady();
    const bool was_ready = replica->ready_at != Time{};
    const bool told_why = replica->failure_code != ErrorCode::unavailable;
    {
      auto state = endpoint.lock();  // people read it
      running.last_words = told_why ? replica->failure : replica->failure + " (" + render(status) + ")";
    }
    if (was_ready && now - replica->ready_at >= kHealthyAfter) running.deaths = 0;
    running.next_start = now + restart_delay(++running.deaths);
    log_warning("serving", "a worker died",
                {{"deployment", endpoint.facts().name},
                 {"replica", replica->id.text},
                 {"how", running.last_words},
                 {"deaths", std::to_string(running.deaths)}});
    // A model that cannot be loaded cannot be loaded a second time either.
    if (!was_ready && told_why) running.fatal = running.last_words;
    if (!was_ready && running.deaths >= kDeathsBeforeReadyMax && running.generation->ready() == 0)
      running.fatal = "its workers died " + std::to_string(running.deaths) + " times: " + running.last_words;
  }
}

void Supervisor::start_one(Endpoint& endpoint, Running& running) {
  int replicas_max;
  {
    auto state = endpoint.lock();
    replicas_max = std::max(1, state->row.spec.replicas_max);
  }
  ReplicaSpec spec{parts_.worker, running.model, std::max(1, parts_.cores / replicas_max)};
  auto replica = Replica::start(spec, parts_.clock);
  if (!replica.ok()) {
    log_error("serving", "a worker could not be started",
              {{"deployment", endpoint.facts().name}, {"error", replica.error().message}});
    {
      auto state = endpoint.lock();
      running.last_words = replica.error().message;
    }
    running.next_start = parts_.clock.steady() + restart_delay(++running.deaths);
    if (running.deaths >= kDeathsBeforeReadyMax && running.generation->ready() == 0)
      running.fatal = replica.error().message;
    return;
  }
  running.generation->add(*replica);
  parts_.answers.watch(running.generation, *replica);
}

void Supervisor::end_worker(Running& running, const std::shared_ptr<Replica>& replica) {
  parts_.answers.forget(*replica);
  replica->process.stop(kWorkerGrace);
  running.generation->on_ended(replica);
}

void Supervisor::drain(Endpoint& endpoint) {
  std::vector<std::shared_ptr<Running>> draining;
  {
    auto state = endpoint.lock();
    draining = state->draining;
  }
  for (const auto& running : draining) {
    Generation& generation = *running->generation;
    bury(endpoint, *running);
    generation.expire();
    const bool late = parts_.clock.steady() - running->closed_at > parts_.drain;
    const bool helpless = generation.load().replicas == 0;
    if (!generation.is_drained() && !late && !helpless) continue;
    for (const auto& replica : generation.replicas()) end_worker(*running, replica);
    generation.fail_all(
        {ErrorCode::unavailable,
         "the revision that was to answer was replaced or stopped before it could; send the request again"});
    auto state = endpoint.lock();
    std::erase(state->draining, running);
  }
}

}  // namespace slipway::serving

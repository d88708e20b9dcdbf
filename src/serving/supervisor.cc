#include "serving/supervisor.h"

#include "base/log.h"

namespace slipway::serving {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(200);
constexpr Duration kMeasureInterval = std::chrono::seconds(2);
constexpr Duration kIdleBeforeRelease = std::chrono::seconds(10);

}  // namespace

DeploymentState Endpoint::sum_up(const State& state) {
  if (!state.row.wanted) return DeploymentState::stopped;
  if (!state.active) {
    if (state.next || state.resume || state.changes_followed < state.changes) return DeploymentState::starting;
    return state.message.empty() ? DeploymentState::starting : DeploymentState::failed;
  }
  if (state.next || state.changes_followed < state.changes) return DeploymentState::updating;
  if (!state.message.empty()) return DeploymentState::degraded;
  return state.active->generation->ready() < state.row.spec.replicas_min ? DeploymentState::degraded
                                                                         : DeploymentState::ready;
}

Supervisor::Supervisor(SupervisorParts parts)
    : parts_(std::move(parts)),
      restarts_(parts_.counters.counter("serving_replica_deaths_total", "Workers that ended without being told to")),
      thread_("serving-loop", [this] { run(); }) {}

void Supervisor::stop() {
  signals_.lock()->stop = true;
  changed_.notify_all();
  thread_.join();
}

void Supervisor::add(std::shared_ptr<Endpoint> endpoint) {
  signals_.lock()->endpoints.push_back(std::move(endpoint));
  notify();
}

void Supervisor::notify() {
  signals_.lock()->changed = true;
  changed_.notify_all();
}

void Supervisor::poke() {
  {
    auto signals = signals_.lock();
    signals->changed = signals->poked = true;
  }
  changed_.notify_all();
}

void Supervisor::run() {
  for (;;) {
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    bool poked = false, stop = false;
    {
      auto signals = signals_.lock();
      signals.wait_until(changed_, std::chrono::steady_clock::now() + kTick,
                         [&] { return signals->changed || signals->stop; });
      signals->changed = false;
      poked = std::exchange(signals->poked, false);
      stop = signals->stop;
      endpoints = signals->endpoints;
    }
    if (stop) {
      for (const auto& endpoint : endpoints) stop_all(*endpoint);
      return;
    }
    for (const auto& endpoint : endpoints) {
      if (tend(*endpoint, poked)) continue;
      auto signals = signals_.lock();
      std::erase(signals->endpoints, endpoint);
    }
    if (parts_.clock.steady() - measured_ < kMeasureInterval) continue;
    for (const auto& endpoint : endpoints) measure(*endpoint);
    measured_ = parts_.clock.steady();
  }
}

bool Supervisor::tend(Endpoint& endpoint, bool poked) {
  bool wanted;
  {
    auto state = endpoint.lock();
    wanted = state->row.wanted && !state->removed;
    if (!wanted) {
      retire(*state, std::exchange(state->active, nullptr));
      retire(*state, std::exchange(state->next, nullptr));
      state->message.clear();
    }
  }
  if (wanted) {
    follow(endpoint, poked);
    std::shared_ptr<Running> active, next;
    {
      auto state = endpoint.lock();
      active = state->active;
      next = state->next;
    }
    for (const auto& running : {active, next}) {
      if (!running) continue;
      keep(endpoint, *running, running == next);
      if (!running->fatal.empty()) give_up(endpoint, running);
    }
    promote(endpoint);
  }
  drain(endpoint);
  announce(endpoint);
  auto state = endpoint.lock();
  return !state->removed || !state->draining.empty();
}

void Supervisor::stop_all(Endpoint& endpoint) {
  std::vector<std::shared_ptr<Running>> all;
  {
    auto state = endpoint.lock();
    retire(*state, std::exchange(state->active, nullptr));
    retire(*state, std::exchange(state->next, nullptr));
    all = std::exchange(state->draining, {});
  }
  for (const auto& running : all) {
    for (const auto& replica : running->generation->replicas()) end_worker(*running, replica);
    running->generation->fail_all({ErrorCode::unavailable, "the server is stopping"});
  }
}

void Supervisor::retire(Endpoint::State& state, std::shared_ptr<Running> running) {
  if (!running) return;
  running->generation->close();
  running->closed_at = parts_.clock.steady();
  state.draining.push_back(std::move(running));
}

void Supervisor::announce(Endpoint& endpoint) {
  {
    auto state = endpoint.lock();
    const DeploymentState now = Endpoint::sum_up(*state);
    const int ready = state->active ? state->active->generation->ready() : 0;
    if (now == state->told && ready == state->told_ready) return;
    state->told = now;
    state->told_ready = ready;
  }
  if (parts_.events)
    parts_.events->emit({EventKind::deployment_changed, endpoint.facts().project, endpoint.facts().name});
}

void Supervisor::measure(Endpoint& endpoint) {
  std::vector<std::shared_ptr<Running>> all;
  {
    auto state = endpoint.lock();
    all = state->draining;
    if (state->active) all.push_back(state->active);
    if (state->next) all.push_back(state->next);
  }
  for (const auto& running : all) {
    for (const auto& replica : running->generation->replicas())
      replica->memory_bytes = memory_of(replica->process.pid());
    if (running->generation->load().idle > kIdleBeforeRelease) running->generation->release_idle_memory();
  }
}

bool Supervisor::write(const char* what, const std::function<Result<void>(catalog::Connection&)>& body) {
  const auto written = parts_.database.write(catalog::Durability::record, body);
  if (!written.ok())
    log_error("serving", "could not write a row", {{"what", what}, {"error", written.error().message}});
  return written.ok();
}

}  // namespace slipway::serving

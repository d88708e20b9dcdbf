// A deployment in memory: its row, the generation that answers, the one that warms up, and those that end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "serving/generation.h"
#include "serving/rows.h"

namespace slipway::serving {

/// A generation with what is needed to start its workers. The fields behind `model` belong to the loop's thread, but
/// for `last_words`, which is guarded by the endpoint's lock.
struct Running {
  std::shared_ptr<Generation> generation;
  ServedModel model;
  int deaths = 0;          // of workers in a row
  Time next_start;         // steady; none is started before
  Time closed_at;          // steady
  std::string fatal;       // why no further start will help
  std::string last_words;  // of the worker that died last
};

class Endpoint {
 public:
  struct State {
    DeploymentRow row;
    bool removed = false;
    std::shared_ptr<Running> active, next;
    std::vector<std::shared_ptr<Running>> draining;
    std::map<std::int64_t, std::shared_ptr<VersionStatistics>> statistics;
    std::optional<Revision> resume;  // what answered before the server restarted; started before anything newer
    std::optional<Revision> failed;  // the version that is not tried again by itself
    std::string message;
    std::optional<std::string> restart;  // who asked for fresh workers
    std::string changed_by;              // who changed the row last
    std::uint64_t changes = 0;           // of the row, and restarts asked for
    std::uint64_t changes_followed = 0;  // that the loop has acted on
    Time looked_at;                      // steady, when the reference was resolved last
    DeploymentState told = DeploymentState::stopped;
    int told_ready = -1;
  };

  Endpoint(std::shared_ptr<const EndpointFacts> facts, State state)
      : facts_(std::move(facts)), state_(std::move(state)) {}

  const EndpointFacts& facts() const { return *facts_; }
  const std::shared_ptr<const EndpointFacts>& shared_facts() const { return facts_; }
  Guarded<State>::Lock lock() { return state_.lock(); }

  /// The generation that answers, or null.
  std::shared_ptr<Generation> active() {
    auto state = state_.lock();
    return state->active ? state->active->generation : nullptr;
  }
  /// What the state adds up to. Called with the lock held.
  static DeploymentState sum_up(const State& state);

 private:
  const std::shared_ptr<const EndpointFacts> facts_;
  Guarded<State> state_;
};

}  // namespace slipway::serving

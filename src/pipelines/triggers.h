// Starts enabled pipelines when what their triggers watch has changed. What to do is decided in trigger_decision.h;
// this reads, obeys and writes down.
#pragma once

#include <condition_variable>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "catalog/lease.h"
#include "pipelines/definitions.h"
#include "pipelines/pipelines.h"
#include "pipelines/watcher.h"

namespace slipway::pipelines {

inline constexpr Duration kTriggerInterval = std::chrono::seconds(1);
inline constexpr Duration kTriggersLease = std::chrono::seconds(5);

/// Thread `triggers`. On one PostgreSQL with several servers, one of them does this.
class Triggers {
 public:
  /// All outlive it. Without `background` only tick() does anything.
  Triggers(catalog::Database& database, const Clock& clock, EventSink& events, Counters& counters, Pipelines& pipelines,
           Definitions& definitions, Watcher& watcher, bool background = true);
  ~Triggers();

  /// Looks at every enabled pipeline once. A run and the notes of its triggers are written together, and only if the
  /// triggers still are as they were read: two servers that both look start one run.
  void tick();

 private:
  void loop();
  Result<void> look_at(const Definition& definition);
  WatchedTrigger watch(const Definition& definition, const Trigger& trigger, const TriggerRow& row);
  Result<void> fire(const Definition& definition, const std::vector<TriggerDecision>& decisions,
                    std::vector<TriggerRow> rows);
  Result<void> note(const Definition& definition, const std::vector<TriggerRow>& rows);

  catalog::Database& database_;
  const Clock& clock_;
  EventSink& events_;
  Counter& fired_;
  Pipelines& pipelines_;
  Definitions& definitions_;
  Watcher& watcher_;
  catalog::Lease lease_;
  std::condition_variable changed_;
  Guarded<bool> stopping_{false};
  Thread thread_;
};

}  // namespace slipway::pipelines

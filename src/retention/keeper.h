// Sees to the rules of projects: what they say should go is deleted, as if a person had done it. Deleted runs can be
// restored until the collector removes them for good; artifacts are free after the store's next sweep.
#pragma once

#include <condition_variable>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/thread.h"
#include "catalog/lease.h"
#include "retention/collector.h"
#include "retention/rules.h"
#include "retention/usage.h"
#include "tracking/tracking.h"

namespace slipway::retention {

inline constexpr Duration kRulesInterval = std::chrono::hours(1);
inline constexpr Duration kMeasureInterval = std::chrono::minutes(5);
inline constexpr size_t kPreviewRunsMax = 1'000;
inline constexpr size_t kDeletedAtOnce = 100;  // in one transaction

struct ProjectRules {
  std::vector<Rule> rules;
  std::string member_id, member;  // who said so last
  std::optional<Time> updated_at, applied_at;
};

/// A run that a rule lets go and nothing needs.
struct Chosen {
  RunId id;
  std::int64_t number = 0;
  std::string name, experiment_name;
  Deletes deletes = Deletes::artifacts;
  std::int64_t bytes = 0;  // that go: of artifacts alone, or of everything
};

struct Choice {
  std::vector<Chosen> runs;  // the first kPreviewRunsMax
  std::int64_t run_count = 0, bytes = 0;
  std::int64_t needed_count = 0;  // that a rule would let go, but something needs
  std::int64_t looked_at = 0;     // runs that a rule is about
};

/// Thread `retention`, which measures runs every kMeasureInterval and looks at the rules every kRulesInterval; on one
/// PostgreSQL with several servers, one of them does.
class Keeper {
 public:
  /// Everything given outlives it; `events` may be null. Without `background` only step() does anything by itself.
  Keeper(catalog::Database& database, tracking::Tracking& tracking, Collector& collector, Usage& usage,
         const Clock& clock, EventSink* events, Audit audit, bool background = true);
  ~Keeper();

  Result<ProjectRules> rules(const ProjectId& project);
  Result<ProjectRules> set(const ProjectId& project, const std::vector<Rule>& rules, const std::string& member_id,
                           const std::string& member);
  /// What these rules would let go now.
  Result<Choice> preview(const ProjectId& project, const std::vector<Rule>& rules);
  /// Deletes what the project's rules let go now.
  Result<Choice> apply(const ProjectId& project);

  /// Goes on with removals that a kill interrupted, then applies every project's rules.
  void step();
  /// Measures every run that needs it; as long again as a piece took, the database is everybody else's.
  void measure();

 private:
  using Group = std::vector<Chosen>;
  struct Outcome {
    Group gone;
    std::int64_t needed = 0;
  };
  using Act = std::function<Result<Outcome>(const Rule&, const Group&)>;
  Result<Choice> walk(const ProjectId& project, const std::vector<Rule>& rules, const Act& act);
  Result<void> walk_experiment(const ProjectId& project, const tracking::ActiveExperiment& experiment, const Rule& rule,
                               const Act& act, Choice& choice);
  Result<std::vector<tracking::RunFacts>> facts(const ProjectId& project, const tracking::ActiveExperiment& experiment,
                                                const Rule& rule);
  Result<Outcome> still_free(catalog::Connection& connection, const ProjectId& project, const Group& group);
  Result<void> let_go(catalog::Connection& connection, const ProjectId& project, const Rule& rule, const Chosen& run,
                      const std::string& member_id);
  void loop();
  bool is_stopping(Duration pause);

  catalog::Database& database_;
  tracking::Tracking& tracking_;
  Collector& collector_;
  Usage& usage_;
  const Clock& clock_;
  EventSink* const events_;
  const Audit audit_;
  catalog::Lease lease_;
  std::condition_variable changed_;
  Guarded<bool> stopping_{false};
  Thread thread_;
};

}  // namespace slipway::retention

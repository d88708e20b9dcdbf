// What happened to what triggers watch: commits of datasets, versions of models, findings. And whose work it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/findings.h"
#include "pipelines/trigger_decision.h"
#include "registry/registry.h"

namespace slipway::pipelines {

/// The newest ones are looked at; when there were more, older ones are passed over.
inline constexpr size_t kChangesMax = 100;
/// A commit and the note of the run that made it are two writes; a younger commit is looked at the next time.
inline constexpr Duration kCommitSettles = std::chrono::seconds(1);

/// Thread-safe; blocks for the database.
class Watcher {
 public:
  /// All outlive it.
  Watcher(catalog::Database& database, const Clock& clock, registry::Registry& registry, FindingLookup findings)
      : database_(database), clock_(clock), registry_(registry), findings_(std::move(findings)) {}

  /// Where it is now: a trigger that is armed here sees only what comes later. not_found when what it watches does not
  /// exist.
  Result<std::string> position(const ProjectId& project, const Trigger& trigger);
  /// What happened since `seen`, oldest first. Nothing for a cron trigger.
  Result<std::vector<Change>> changes(const ProjectId& project, std::string_view pipeline, const Trigger& trigger,
                                      const std::string& seen);

 private:
  /// The pipelines that a run came from: its own, and those that had set that one off.
  Result<std::vector<std::string>> makers_of(const ProjectId& project, const std::string& run);
  Result<std::vector<std::string>> makers_of(const ProjectId& project, const registry::BranchMove& move);
  Result<std::vector<Change>> commits(const ProjectId& project, std::string_view pipeline, const Trigger& trigger,
                                      const std::string& seen);
  Result<std::vector<Change>> versions(const ProjectId& project, std::string_view pipeline, const Trigger& trigger,
                                       const std::string& seen);
  Result<std::vector<Change>> findings(const ProjectId& project, const Trigger& trigger, const std::string& seen);

  catalog::Database& database_;
  const Clock& clock_;
  registry::Registry& registry_;
  const FindingLookup findings_;
};

}  // namespace slipway::pipelines

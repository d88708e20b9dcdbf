// Pipelines that the server can start without anybody's working copy: slipway.yaml with the snapshot of its code, and
// the triggers that start them while they are enabled.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "pipelines/pipelines.h"
#include "pipelines/trigger_decision.h"
#include "pipelines/watcher.h"

namespace slipway::pipelines {

/// A trigger of an enabled definition, as far as it got.
struct TriggerRow {
  std::string name, kind;
  std::int64_t position = 0;  // in the file
  std::string seen;
  TriggerState state = TriggerState::armed;
  std::string message;
  std::int64_t failures = 0;  // in a row, of the runs it started
  Time armed_at;
  std::optional<Time> fired_at;
  std::string run;  // id of the pipeline run it started last; may be empty
  bool operator==(const TriggerRow&) const = default;
};

struct Definition {
  ProjectId project;
  std::string pipeline, member;    // the member whose rights its runs have
  std::string file;                // slipway.yaml; only in what get() answers
  std::string snapshot, manifest;  // may be empty
  bool enabled = false;
  Time created_at, updated_at;
  std::vector<TriggerRow> triggers;  // in the file's order; none while it is not enabled
};

struct NewDefinition {
  ProjectId project;
  std::string pipeline, member, file, snapshot, manifest;
  bool enabled = false;
};

/// Thread-safe; blocks for the database.
class Definitions {
 public:
  /// All outlive it.
  Definitions(catalog::Database& database, const Clock& clock, EventSink& events, Pipelines& pipelines,
              Watcher& watcher)
      : database_(database), clock_(clock), events_(events), pipelines_(pipelines), watcher_(watcher) {}

  /// Checks all that start() of Pipelines would, and stores it over what was there. Triggers are armed when it is
  /// enabled: what happens from now on counts. Those that were armed already keep their place, but their failures are
  /// forgotten. not_found names what a trigger watches and does not exist.
  Result<Definition> put(const NewDefinition& request);
  /// failed_precondition when it has no triggers that could start it.
  Result<Definition> set_enabled(const ProjectId& project, std::string_view pipeline, bool enabled);
  /// not_found tells how to store it.
  Result<Definition> get(const ProjectId& project, std::string_view pipeline);
  Result<std::vector<Definition>> list(const ProjectId& project);
  /// Enabled ones of all projects.
  Result<std::vector<Definition>> enabled();
  /// What it declares; read once per version of the definition.
  Result<std::shared_ptr<const Plan>> plan(const Definition& definition);

  /// A run of what is stored.
  Result<PipelineRun> start(const ProjectId& project, std::string_view pipeline, const std::string& member,
                            const std::string& reason, const Json& parameters);

 private:
  Result<Definition> store(Definition definition, const Plan& plan);
  Result<std::vector<TriggerRow>> arm(const Definition& before, const Definition& definition, const Plan& plan);

  catalog::Database& database_;
  const Clock& clock_;
  EventSink& events_;
  Pipelines& pipelines_;
  Watcher& watcher_;
  Plans plans_;
};

}  // namespace slipway::pipelines

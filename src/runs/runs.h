// The front door of runs: runs that Slipway executes. A run is a row of tracking; its execution, here, is what it is to
// do and how far it got; each try at it is an attempt. The attempt decides the run's state, and tracking is told.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "catalog/catalog.h"
#include "domain/attempt.h"
#include "domain/events.h"
#include "registry/registry.h"
#include "runs/decide.h"
#include "runs/log_store.h"
#include "store/store.h"
#include "tracking/tracking.h"

namespace slipway::runs {

struct NewExecution {
  ProjectId project;
  MemberId member;  // whose rights the run has
  std::string member_name;
  RunSpec spec;
  std::string manifest;     // hash of the snapshot's manifest; empty: the one last told of that snapshot
  std::string request_key;  // a second submit of the same key in the project answers with the first one's run
  std::string name;         // empty: the step's, numbered
  std::string experiment;   // by name; empty: the step's, or Default
  std::map<std::string, std::string> tags;
  Json source;  // further members of the run's source: {pipeline_run, node}
};

struct Execution {
  RunId run;
  ProjectId project;
  MemberId member;
  std::string member_name;
  RunState state = RunState::queued;
  RunSpec spec;
  Named<ResolvedInput> inputs;
  std::string manifest;
  std::string request_key;  // written, not read back
  Time created_at, queued_at, not_before;
  std::optional<Time> started_at, ended_at;
  std::int64_t attempts_made = 0;
  std::optional<Time> stop_asked_at;
  std::optional<Duration> stop_grace;
  std::string message;  // why it ended as it did
  std::uint64_t log_bytes = 0;
  bool is_told = false;  // tracking has heard of the state; until then nobody is told that the run is over
};

enum class AttemptState { starting, running, over };
std::string_view name(AttemptState state);

struct Attempt {
  AttemptId id;
  RunId run;
  std::int64_t number = 0;
  std::string node;
  AttemptState state = AttemptState::starting;
  std::string phase;
  std::int64_t pid = 0;           // of the runner, 0: not written down
  std::uint64_t start_ticks = 0;  // with it the process is named for good
  std::int64_t command_pid = 0;
  Time started_at, heartbeat_at;
  double cpu_s = 0;
  std::uint64_t memory_bytes = 0;
  std::optional<Time> ended_at;
  std::optional<AttemptResult> result;
  std::uint64_t log_from = 0;
};

struct RunOutput {
  std::string name, path;
  Hash hash;
  bool is_tree = false;
  std::uint64_t bytes = 0;
  std::string model;  // and `version`, when it became one
  std::int64_t version = 0;
  std::string dataset, commit;
};

/// What a project's runs took of its nodes: all attempts, those that run counted until now.
struct ComputingTime {
  std::int64_t attempts = 0;
  Duration time{0};
  double cpu_s = 0;  // of the commands' processes, as their runners measured it
};

inline constexpr size_t kQueuedRunsMax = 100'000;
inline constexpr size_t kDocumentBytesMax = 8 << 20;
inline constexpr std::uint64_t kRunLogBytesMax = 4ull << 30;

/// Every call blocks for the database and the disk. Thread-safe. What it is given outlives it; `events` may be null.
class Runs {
 public:
  Runs(catalog::Database& database, store::Store& store, tracking::Tracking& tracking, registry::Registry& registry,
       const Clock& clock, EventSink* events);

  // For people and pipelines.

  /// Checks and pins everything the run names (snapshot, inputs), writes the run in state `queued`. A thing it names
  /// that does not exist is not_found, said by name; a full queue is busy.
  Result<RunId> submit(const NewExecution& request);
  /// Remembers the manifest of a snapshot; both are blobs that must be here.
  Result<void> tell_manifest(const Hash& tree, const Hash& manifest);
  /// What the run's inputs are at this moment, pinned: for those who compare before they submit.
  Result<Named<ResolvedInput>> resolve(const ProjectId& project, const Named<Reference>& inputs);
  /// The same again, with some parameters changed: same snapshot, same resolved inputs.
  Result<RunId> rerun(const ProjectId& project, const RunId& run, const Named<Json>& parameters, const MemberId& member,
                      const std::string& member_name);
  /// Asks the run to end. A queued one is killed at once; for a run that is over it is failed_precondition.
  Result<void> stop(const ProjectId& project, const RunId& run, std::optional<Duration> grace);

  /// not_found for runs that Slipway does not execute.
  Result<Execution> get(const ProjectId& project, const RunId& run);
  Result<std::vector<Attempt>> attempts(const ProjectId& project, const RunId& run);
  Result<std::vector<RunOutput>> outputs(const ProjectId& project, const RunId& run);
  /// A document the node recorded ("environment", "machine"); null when there is none.
  Result<Json> document(const ProjectId& project, const RunId& run, std::string_view kind);
  LogStore& log() { return log_; }
  Result<ComputingTime> computing_time(const ProjectId& project);

  // For the runner, through api. `attempt` must be open: failed_precondition once it is over, and the runner gives up.

  Result<Attempt> attempt(const AttemptId& id);
  Result<AttemptPlan> plan(const AttemptId& id);
  Result<HeartbeatAnswer> heartbeat(const AttemptId& id, const Heartbeat& beat);
  Result<std::uint64_t> append_log(const AttemptId& id, std::uint64_t offset, std::string_view bytes);
  Result<void> record(const AttemptId& id, const Json& documents);
  Result<void> report_output(const AttemptId& id, const OutputReport& output);
  /// Idempotent: a runner that did not hear our answer says it again.
  Result<void> end(const AttemptId& id, const AttemptResult& result);

  // For the loop.

  struct Open {
    Execution execution;
    std::optional<Attempt> attempt;  // the one that is not over
  };
  Result<std::vector<Open>> open();
  /// A new attempt of a queued run; false when somebody else has taken it meanwhile.
  Result<std::optional<Attempt>> claim(const RunId& run, const std::string& node);
  Result<void> started(const AttemptId& id, std::int64_t pid, std::uint64_t start_ticks);
  /// Ends a queued run that will never start.
  Result<void> finish_queued(const RunId& run, RunState state, const std::string& message);
  /// Tells tracking the states it has not heard of; also finishes or undoes submits that a crash cut short.
  Result<void> tell_all();

  /// Told whenever there may be something to do; must not block.
  void on_change(std::function<void()> callback) { *changed_.lock() = std::move(callback); }

  /// What these tables name, for the sweep; without what they name only for runs that are told to be gone.
  Result<void> visit_references(const registry::ReferenceVisitor& visit, const registry::Gone& gone = {});

 private:
  struct Beat {
    Time written_at;
    std::string phase;
  };

  Result<ResolvedInput> resolve(const ProjectId& project, const Reference& reference);
  Result<Hash> keep_files_as_tree(const std::vector<registry::Artifact>& files, std::string_view below);
  Result<void> require_blobs(const NewExecution& request);
  Result<std::string> manifest_of(const NewExecution& request);
  Result<Json> source_of(const NewExecution& request, std::map<std::string, std::string>& tags);
  Result<RunId> write_submit(const NewExecution& request, const Named<ResolvedInput>& inputs);
  Result<void> register_output(const Execution& execution, RunOutput& output, const StepOutput& declared);
  Result<void> tell(const RunId& run);
  void changed(const Execution& execution, EventKind kind);
  Result<Attempt> open_attempt(const AttemptId& id);
  Result<void> finish_drafts();

  catalog::Database& database_;
  store::Store& store_;
  tracking::Tracking& tracking_;
  registry::Registry& registry_;
  const Clock& clock_;
  EventSink* const events_;
  LogStore log_;
  Guarded<std::function<void()>> changed_{[] {}};
  Guarded<std::map<AttemptId, Beat>> beats_;
};

}  // namespace slipway::runs

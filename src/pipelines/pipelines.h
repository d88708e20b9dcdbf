// The front door of pipelines: runs a graph of steps, evaluations and deployments, answers nodes from what was computed
// before, and says of each why it ran. definitions.h keeps pipelines that may start without a person; triggers.h starts
// them.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "catalog/lease.h"
#include "domain/events.h"
#include "domain/node_kind.h"
#include "pipelines/pipeline_run.h"
#include "pipelines/plan.h"
#include "store/store.h"

namespace slipway::pipelines {

struct NewPipelineRun {
  ProjectId project;
  std::string pipeline, member, reason, file, snapshot;
  Json parameters = Json(Json::Object{});  // node -> parameter -> value
  std::string manifest;
  PipelineRunId id;  // empty: a new one
  std::vector<Cause> causes;
  std::vector<std::string> ancestors;
};

struct Rerun {
  ProjectId project;
  PipelineRunId run;
  std::string member;
  /// Nodes that finished keep what they made, whatever their inputs are by now; all others run. Otherwise every node is
  /// asked anew, and may be answered from the cache.
  bool from_failed = false;
  Json parameters =
      Json(Json::Object{});  // over those of the earlier run; a node that is given some does not keep its result
};

inline constexpr size_t kPipelineRunsRunningMax = 1000;
inline constexpr Duration kPollInterval = std::chrono::milliseconds(200);
inline constexpr Duration kIdleInterval =
    std::chrono::seconds(1);  // PostgreSQL, where another server may have started one
inline constexpr Duration kPipelinesLease = std::chrono::seconds(5);

/// Thread `pipelines`. Everything else blocks for the database.
class Pipelines {
 public:
  /// `kinds` by name: "step", "evaluate", "deploy". All outlive this.
  Pipelines(catalog::Database& database, store::Store& store, const Clock& clock, EventSink& events, Counters& counters,
            std::map<std::string, NodeKind*> kinds);
  ~Pipelines();

  /// What start() would check of a file and a pipeline, without starting.
  Result<Plan> plan(std::string_view file, std::string_view pipeline, const Json& parameters) const;
  /// Checks the file, the graph and that the snapshot is here, writes the rows, and lets the thread begin.
  /// invalid_argument names what is wrong. `also` is part of the same transaction; its error undoes the start.
  Result<PipelineRun> start(const NewPipelineRun& request, const catalog::Write& also = nullptr);
  /// The same pipeline again: same file, snapshot and parameters. failed_precondition while the earlier run goes on,
  /// and for `from_failed` when nothing of it is left to do.
  Result<PipelineRun> rerun(const Rerun& request);
  Result<PipelineRun> get(const ProjectId& project, const PipelineRunId& id);
  /// Newest first; of all pipelines when `pipeline` is empty.
  Result<std::vector<PipelineRun>> list(const ProjectId& project, std::string_view pipeline, size_t most,
                                        std::string_view before);
  /// Each pipeline that ever ran, with the number of its runs.
  Result<std::vector<std::pair<std::string, std::int64_t>>> run_counts(const ProjectId& project);
  /// Running nodes are told to stop; nothing new starts.
  Result<PipelineRun> stop(const ProjectId& project, const PipelineRunId& id);

  /// Renews the leases of a snapshot and its manifest, either of which may be empty, until a row names them.
  /// failed_precondition when one is not here.
  Result<void> keep_snapshot(const std::string& snapshot, const std::string& manifest);
  /// The code that runs and definitions may still need; for the sweep.
  Result<void> visit_snapshots(const std::function<void(const Hash& hash, bool is_tree)>& visit);

  /// One round over all running pipeline runs; the thread does this at its own pace. True when anything moved.
  bool advance();

 private:
  void loop();
  bool leads();
  Result<void> write_start(const PipelineRun& run, const catalog::Write& also);
  Result<bool> keep_results(const Plan& plan, const PipelineRun& before, const Json& parameters, PipelineRun& run);
  Result<bool> advance_run(PipelineRun& run);
  Result<void> give_up(PipelineRun& run, const Error& why);
  Result<bool> poll_node(const PipelineRun& run, const Plan& plan, NodeRow& node);
  Result<void> start_node(const PipelineRun& run, const Plan& plan, NodeRow& node);
  Result<bool> answer_from_cache(const NodeRequest& request, NodeKind& kind, NodeRow& node);
  void fail(NodeRow& node, std::string message) const;
  Result<void> write_node(const PipelineRun& run, const NodeRow& node);
  void wake();

  catalog::Database& database_;
  store::Store& store_;
  const Clock& clock_;
  EventSink& events_;
  Counter& hits_;
  Counter& misses_;
  const std::map<std::string, NodeKind*> kinds_;
  catalog::Lease lease_;
  Plans plans_;
  std::condition_variable changed_;
  struct Wanted {
    bool stopping = false;
    bool work = true;
  };
  Guarded<Wanted> wanted_;
  Thread thread_;
};

}  // namespace slipway::pipelines

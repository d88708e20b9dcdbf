// The front door of pipelines: runs a graph of steps, evaluations and deployments, answers nodes from what was computed before,
// and says of each why it ran.
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
#include "domain/events.h"
#include "domain/node_kind.h"
#include "pipelines/graph.h"

namespace slipway::pipelines {

struct NodeRow {
  std::string node;
  std::int64_t position = 0;
  std::string kind;
  NodeState state = NodeState::waiting;
  std::string handle, cache, cache_key, why, message;
  Json result = Json(Json::Object{});
  std::optional<Time> started_at, ended_at;
};

struct PipelineRun {
  PipelineRunId id;
  ProjectId project;
  std::string pipeline, member, reason, file, snapshot;
  PipelineRunState state = PipelineRunState::running;
  Json parameters = Json(Json::Object{});
  Time created_at;
  std::optional<Time> ended_at;
  std::vector<NodeRow> nodes;  // in the file's order
};

struct NewPipelineRun {
  ProjectId project;
  std::string pipeline, member, reason, file, snapshot;
  Json parameters = Json(Json::Object{});  // node -> parameter -> value
};

inline constexpr size_t kPipelineRunsRunningMax = 1000;
inline constexpr Duration kPollInterval = std::chrono::milliseconds(200);

/// Thread `pipelines`. Everything else blocks for the database.
class Pipelines {
 public:
  /// `kinds` by name: "step", "evaluate", "deploy". All outlive this.
  Pipelines(catalog::Database& database, const Clock& clock, EventSink& events, Counters& counters, std::map<std::string, NodeKind*> kinds);
  ~Pipelines();

  /// Checks the file and the graph, writes the rows, and lets the thread begin. invalid_argument names what is wrong.
  Result<PipelineRun> start(const NewPipelineRun& request);
  Result<PipelineRun> get(const ProjectId& project, const PipelineRunId& id);
  Result<std::vector<PipelineRun>> list(const ProjectId& project, size_t most, std::string_view before);
  /// Running nodes are told to stop; nothing new starts.
  Result<PipelineRun> stop(const ProjectId& project, const PipelineRunId& id);

  /// One round over all running pipeline runs; the thread does this at its own pace. True when anything moved.
  bool advance();

 private:
  void loop();
  Result<bool> advance_run(PipelineRun& run);
  Result<bool> poll_node(const PipelineRun& run, const ProjectFile& file, NodeRow& node);
  Result<void> start_node(const PipelineRun& run, const ProjectFile& file, NodeRow& node);
  Result<bool> answer_from_cache(const NodeRequest& request, NodeKind& kind, NodeRow& node);
  void fail(NodeRow& node, std::string message) const;
  Result<void> write_node(const PipelineRun& run, const NodeRow& node);

  catalog::Database& database_;
  const Clock& clock_;
  EventSink& events_;
  Counter& hits_;
  Counter& misses_;
  const std::map<std::string, NodeKind*> kinds_;
  std::condition_variable changed_;
  struct Wanted {
    bool stopping = false;
    bool work = true;
  };
  Guarded<Wanted> wanted_;
  Thread thread_;
};

}  // namespace slipway::pipelines

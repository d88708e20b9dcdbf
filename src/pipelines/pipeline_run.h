// One execution of a pipeline, as its rows have it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "domain/ids.h"
#include "pipelines/graph.h"

namespace slipway::pipelines {

struct NodeRow {
  std::string node;
  std::int64_t position = 0;
  std::string kind;
  NodeState state = NodeState::waiting;
  /// `cache` is "hit", "miss", "none" (nodes of this kind always run), "kept" (from the run that this one goes on
  /// with), or empty as long as nobody looked.
  std::string handle, cache, cache_key, why, message;
  Json result = Json(Json::Object{});
  std::optional<Time> started_at, ended_at;
  std::vector<std::string> needs;  // nodes it waits for
};

/// Why a trigger started a run.
struct Cause {
  std::string name, kind;  // "dataset scenes@main", "dataset"
  std::string why;         // "scenes@main moved from … to …"
};

struct PipelineRun {
  PipelineRunId id;
  ProjectId project;
  std::string pipeline, member, reason;
  std::string file;                // slipway.yaml; only in what get() answers
  std::string snapshot, manifest;  // hashes of the code's tree and of what is known of it; may be empty
  PipelineRunState state = PipelineRunState::running;
  Json parameters = Json(Json::Object{});  // node -> parameter -> value, over the file's
  Time created_at;
  std::optional<Time> ended_at;
  std::vector<NodeRow> nodes;  // in the file's order
  std::vector<Cause> causes;   // the triggers that started it; none for a person's
  std::optional<PipelineRunId> rerun_of;
  /// Pipelines whose work set this one off, directly or through others.
  std::vector<std::string> ancestors;
};

inline bool is_over(PipelineRunState state) {
  return state != PipelineRunState::running && state != PipelineRunState::stopping;
}

}  // namespace slipway::pipelines

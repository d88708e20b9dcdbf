// What a pipeline's node can be. Pipelines order, cache and wait; how a kind does its work is an implementation of
// this, wired in apps/server: a step is a run, an evaluation is a run of the worker, a deployment moves an alias.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "domain/ids.h"
#include "domain/project_file.h"

namespace slipway {

/// A node with everything that names another node's output replaced by what that output is ("model:digits/2").
struct NodeRequest {
  ProjectId project;
  std::string member;  // name of who started the pipeline
  PipelineRunId pipeline_run;
  std::string pipeline, node;
  PipelineNode declaration;
  const ProjectFile* file = nullptr;
  std::string snapshot;  // hash of the code's tree; may be empty
};

struct NodeProgress {
  enum class State { running, finished, failed };
  State state = State::running;
  /// What later nodes and people see. Outputs by name under "outputs", as references in text; "run_id" and
  /// "evaluation_id" where there is one.
  Json result = Json(Json::Object{});
  std::string message;  // why it failed, or what it decided
};

/// Called from the pipelines' thread; may block for the database, not for the work itself.
class NodeKind {
 public:
  virtual ~NodeKind() = default;
  /// Everything that decides what comes out, part by part ({"command": …, "parameters": …, "code": …}), so that equal
  /// parts mean an equal result. Null: this kind is never answered from the cache.
  virtual Result<Json> inputs_of(const NodeRequest& request) = 0;
  /// Whether everything an earlier result names is still there.
  virtual Result<bool> still_exists(const ProjectId& project, const Json& result) = 0;
  /// Starts the work and returns a handle that survives a restart of the server. Starting the same node of the same
  /// pipeline run twice gives the same work: the server may have died between the start and the note of it.
  virtual Result<std::string> start(const NodeRequest& request) = 0;
  virtual Result<NodeProgress> poll(const NodeRequest& request, const std::string& handle) = 0;
  virtual void stop(const NodeRequest& request, const std::string& handle) = 0;
};

}  // namespace slipway

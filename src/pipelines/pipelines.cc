#include "pipelines/pipelines.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "pipelines/rows.h"

namespace slipway::pipelines {
namespace {

using catalog::Connection;
using catalog::Durability;

std::string cache_key_of(std::string_view kind, const Json& parts) { return render(hash_of(std::string(kind) + "\n" + parts.render())); }

/// The pipeline of the file, with the given parameters over its own.
Result<Pipeline> pipeline_of(const ProjectFile& file, std::string_view pipeline_name, const Json& parameters) {
  const Pipeline* found = find(file.pipelines, pipeline_name);
  if (!found) {
    std::vector<std::string> known;
    for (const auto& [key, ignored] : file.pipelines) known.push_back(key);
    const auto near = nearest(pipeline_name, known);
    return Error{ErrorCode::not_found, fmt::format("slipway.yaml has no pipeline '{}'; {}", pipeline_name,
                                                   near ? "did you mean '" + *near + "'?" : known.empty() ? "it has none at all" : "it has " + join(known, ", "))};
  }
  Pipeline pipeline = *found;
  for (const auto& [node_name, values] : parameters.object()) {
    bool known = false;
    for (auto& [key, node] : pipeline.nodes) {
      if (key != node_name) continue;
      known = true;
      for (const auto& [parameter, value] : values.object()) {
        std::erase_if(node.parameters, [&](const auto& entry) { return entry.first == parameter; });
        node.parameters.emplace_back(parameter, value);
      }
    }
    if (!known) return Error{ErrorCode::invalid_argument, fmt::format("the pipeline '{}' has no node '{}' to give parameters to", pipeline_name, node_name)};
  }
  return pipeline;
}

Error no_such_run(const PipelineRunId& id) { return {ErrorCode::not_found, "there is no pipeline run " + clean_utf8(id.text, 64) + "; `slipway pipelines runs` shows them"}; }

bool is_over(PipelineRunState state) { return state != PipelineRunState::running && state != PipelineRunState::stopping; }

std::map<std::string, Json> results_of(const PipelineRun& run) {
  std::map<std::string, Json> results;
  for (const NodeRow& node : run.nodes) {
    if (node.state == NodeState::finished) results[node.node] = node.result;
  }
  return results;
}

NodeRequest request_for(const PipelineRun& run, const ProjectFile& file, const std::string& node, PipelineNode declaration) {
  return {run.project, run.member, run.id, run.pipeline, node, std::move(declaration), &file, run.snapshot};
}

}  // namespace

Pipelines::Pipelines(catalog::Database& database, const Clock& clock, EventSink& events, Counters& counters, std::map<std::string, NodeKind*> kinds)
    : database_(database), clock_(clock), events_(events),
      hits_(counters.counter("pipeline_cache_total", "Pipeline nodes looked up in the cache", {{"answer", "hit"}})),
      misses_(counters.counter("pipeline_cache_total", "Pipeline nodes looked up in the cache", {{"answer", "miss"}})),
      kinds_(std::move(kinds)) {
  thread_ = Thread("pipelines", [this] { loop(); });
}

Pipelines::~Pipelines() {
  wanted_.lock()->stopping = true;
  changed_.notify_all();
}

void Pipelines::loop() {
  bool idle = false;
  while (true) {
    {
      auto wanted = wanted_.lock();
      const auto has_news = [&] { return wanted->stopping || wanted->work; };
      if (idle) {
        wanted.wait(changed_, has_news);
      } else {
        wanted.wait_until(changed_, std::chrono::steady_clock::now() + kPollInterval, has_news);
      }
      if (wanted->stopping) return;
      wanted->work = false;
    }
    while (advance()) {
    }
    const auto left = database_.read_value([](Connection& c) { return rows::select_running(c, 1); });
    idle = left.ok() && left->empty();
  }
}

Result<PipelineRun> Pipelines::start(const NewPipelineRun& request) {
  const ProjectFile file = TRY(parse_project_file(request.file));
  const Pipeline pipeline = TRY(pipeline_of(file, request.pipeline, request.parameters));
  TRY(make_graph(pipeline));
  PipelineRun run{new_id<PipelineRunId>(clock_), request.project, request.pipeline, request.member, request.reason, request.file, request.snapshot,
                  PipelineRunState::running, request.parameters, clock_.now(), {}, {}};
  for (const auto& [node_name, node] : pipeline.nodes) {
    if (!kinds_.count(std::string(kind_of(node)))) {
      return Error{ErrorCode::unsupported, fmt::format("the node '{}' is a {}, which this server cannot run in a pipeline yet", node_name, kind_of(node))};
    }
    NodeRow row;
    row.node = node_name;
    row.position = static_cast<std::int64_t>(run.nodes.size());
    row.kind = kind_of(node);
    run.nodes.push_back(std::move(row));
  }
  const auto running = TRY(database_.read_value([](Connection& c) { return rows::select_running(c, kPipelineRunsRunningMax); }));
  if (running.size() >= kPipelineRunsRunningMax) return Error{ErrorCode::busy, fmt::format("{} pipelines run already; try again later", running.size())};
  TRY(database_.write(Durability::record, [&](Connection& c) { return rows::insert_run(c, run); }));
  events_.emit({EventKind::pipeline_run_changed, run.project, run.id.text});
  wanted_.lock()->work = true;
  changed_.notify_all();
  return run;
}

Result<PipelineRun> Pipelines::get(const ProjectId& project, const PipelineRunId& id) {
  auto run = TRY(database_.read_value([&](Connection& c) { return rows::select_run(c, project, id); }));
  if (!run) return no_such_run(id);
  return std::move(*run);
}

Result<std::vector<PipelineRun>> Pipelines::list(const ProjectId& project, size_t most, std::string_view before) {
  return database_.read_value([&](Connection& c) { return rows::select_runs(c, project, most, before); });
}

Result<PipelineRun> Pipelines::stop(const ProjectId& project, const PipelineRunId& id) {
  auto run = TRY(database_.write_value(Durability::record, [&](Connection& c) -> Result<PipelineRun> {
    auto found = TRY(rows::select_run(c, project, id));
    if (!found) return no_such_run(id);
    if (is_over(found->state)) return Error{ErrorCode::failed_precondition, "the pipeline run " + id.text + " is " + std::string(name(found->state)) + " already"};
    found->state = PipelineRunState::stopping;
    TRY(rows::update_run(c, id, found->state, std::nullopt));
    return std::move(*found);
  }));
  wanted_.lock()->work = true;
  changed_.notify_all();
  return run;
}

bool Pipelines::advance() {
  auto running = database_.read_value([](Connection& c) { return rows::select_running(c, kPipelineRunsRunningMax); });
  if (!running.ok()) {
    log_warning("pipelines", "running pipelines could not be read", {{"error", running.error().message}});
    return false;
  }
  bool moved = false;
  for (PipelineRun& run : *running) {
    const auto advanced = advance_run(run);
    if (!advanced.ok()) log_warning("pipelines", "a pipeline run could not go on", {{"pipeline_run", run.id.text}, {"error", advanced.error().message}});
    if (advanced.ok() && *advanced) {
      moved = true;
      events_.emit({EventKind::pipeline_run_changed, run.project, run.id.text});
    }
  }
  return moved;
}

Result<void> Pipelines::write_node(const PipelineRun& run, const NodeRow& node) {
  return database_.write(Durability::record, [&](Connection& c) { return rows::update_node(c, run.id, node); });
}

void Pipelines::fail(NodeRow& node, std::string message) const {
  node.state = NodeState::failed;
  node.message = std::move(message);
  node.ended_at = clock_.now();
}

Result<bool> Pipelines::advance_run(PipelineRun& run) {
  const ProjectFile file = TRY(parse_project_file(run.file));
  const Graph graph = TRY(make_graph(TRY(pipeline_of(file, run.pipeline, run.parameters))));
  const bool stopping = run.state == PipelineRunState::stopping;
  bool moved = false;
  std::map<std::string, NodeState> states;
  for (NodeRow& node : run.nodes) {
    if (node.state == NodeState::running) moved = TRY(poll_node(run, file, node)) || moved;
    states[node.node] = node.state;
  }
  const Next next = decide(graph, states, stopping);
  for (NodeRow& node : run.nodes) {
    if (std::count(next.skip.begin(), next.skip.end(), node.node) > 0) {
      node.state = NodeState::skipped;
      node.message = stopping ? "the pipeline was stopped" : "a node it needs did not finish";
      TRY(write_node(run, node));
      moved = true;
    } else if (std::count(next.start.begin(), next.start.end(), node.node) > 0) {
      TRY(start_node(run, file, node));
      moved = true;
    }
  }
  if (next.ended) {
    TRY(database_.write(Durability::record, [&](Connection& c) { return rows::update_run(c, run.id, *next.ended, clock_.now()); }));
    moved = true;
  }
  return moved;
}

Result<void> Pipelines::start_node(const PipelineRun& run, const ProjectFile& file, NodeRow& node) {
  NodeKind& kind = *kinds_.at(node.kind);
  const Pipeline pipeline = TRY(pipeline_of(file, run.pipeline, run.parameters));
  node.started_at = clock_.now();
  auto declaration = fill_in(*find(pipeline.nodes, node.node), results_of(run));
  if (!declaration.ok()) {
    fail(node, declaration.error().message);
    return write_node(run, node);
  }
  const NodeRequest request = request_for(run, file, node.node, std::move(*declaration));
  auto answered = answer_from_cache(request, kind, node);
  if (!answered.ok()) {
    fail(node, answered.error().message);
  } else if (!*answered) {
    auto handle = kind.start(request);
    if (handle.ok()) {
      node.state = NodeState::running;
      node.handle = std::move(*handle);
    } else {
      fail(node, handle.error().message);
    }
  }
  return write_node(run, node);
}

Result<bool> Pipelines::answer_from_cache(const NodeRequest& request, NodeKind& kind, NodeRow& node) {
  const Json parts = TRY(kind.inputs_of(request));
  if (parts.is_null()) {
    node.cache = "none";
    node.why = "nodes of this kind always run";
    return false;
  }
  node.cache_key = cache_key_of(node.kind, parts);
  const auto before = TRY(database_.read_value([&](Connection& c) { return rows::select_result(c, request.project, node.cache_key); }));
  if (before && TRY(kind.still_exists(request.project, before->result))) {
    hits_.add();
    node.cache = "hit";
    node.why = "the same inputs were computed before, by pipeline run " + before->pipeline_run.text;
    node.result = before->result;
    node.state = NodeState::finished;
    node.ended_at = clock_.now();
    return true;
  }
  misses_.add();
  node.cache = "miss";
  if (before) {
    node.why = "the same inputs were computed before, but an output of that is gone";
    return false;
  }
  const auto latest = TRY(database_.read_value([&](Connection& c) { return rows::select_latest_result(c, request.project, request.pipeline, request.node); }));
  node.why = latest ? explain_difference(latest->parts, parts) : "it never ran before";
  return false;
}

Result<bool> Pipelines::poll_node(const PipelineRun& run, const ProjectFile& file, NodeRow& node) {
  NodeKind& kind = *kinds_.at(node.kind);
  const Pipeline pipeline = TRY(pipeline_of(file, run.pipeline, run.parameters));
  const NodeRequest request = request_for(run, file, node.node, TRY(fill_in(*find(pipeline.nodes, node.node), results_of(run))));
  if (run.state == PipelineRunState::stopping) kind.stop(request, node.handle);
  const auto progress = kind.poll(request, node.handle);
  if (!progress.ok()) {
    fail(node, progress.error().message);
    TRY(write_node(run, node));
    return true;
  }
  const bool over = progress->state != NodeProgress::State::running;
  const bool changed = over || !(progress->result == node.result) || progress->message != node.message;
  if (!changed) return false;
  node.result = progress->result;
  node.message = progress->message;
  if (over) {
    node.state = progress->state == NodeProgress::State::finished ? NodeState::finished : run.state == PipelineRunState::stopping ? NodeState::stopped : NodeState::failed;
    node.ended_at = clock_.now();
  }
  const Json parts = node.state == NodeState::finished && !node.cache_key.empty() ? TRY(kind.inputs_of(request)) : Json();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(rows::update_node(c, run.id, node));
    // Inputs that moved while the node ran (a branch, say) make another key: what came out belongs to neither.
    if (!parts.is_null() && cache_key_of(node.kind, parts) == node.cache_key) {
      TRY(rows::upsert_result(c, run.project, {node.cache_key, run.pipeline, node.node, parts, node.result, run.id}, clock_.now()));
    }
    return {};
  }));
  return true;
}

}  // namespace slipway::pipelines

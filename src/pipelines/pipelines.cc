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

std::string cache_key_of(std::string_view kind, const Json& parts) {
  return render(hash_of(std::string(kind) + "\n" + parts.render()));
}

Error no_such_run(const PipelineRunId& id) {
  return {ErrorCode::not_found,
          "there is no pipeline run " + clean_utf8(id.text, 64) + "; `slipway pipelines runs` shows them"};
}

std::map<std::string, Json> results_of(const PipelineRun& run) {
  std::map<std::string, Json> results;
  for (const NodeRow& node : run.nodes) {
    if (node.state == NodeState::finished) results[node.node] = node.result;
  }
  return results;
}

NodeRequest request_for(const PipelineRun& run, const Plan& plan, const std::string& node, PipelineNode declaration) {
  return {run.project, run.member, run.id, run.pipeline, node, std::move(declaration), &plan.file, run.snapshot};
}

/// Every node of the plan, waiting.
std::vector<NodeRow> waiting_nodes(const Plan& plan) {
  std::vector<NodeRow> nodes;
  for (const auto& [node_name, node] : plan.pipeline.nodes) {
    NodeRow row;
    row.node = node_name;
    row.position = static_cast<std::int64_t>(nodes.size());
    row.kind = kind_of(node);
    row.needs = plan.graph.needs.at(node_name);
    nodes.push_back(std::move(row));
  }
  return nodes;
}

/// Which of the nodes it needs keeps a node from running. What it needs may come later in the file and be skipped with
/// it.
std::string why_skipped(const std::vector<std::string>& needs, const std::map<std::string, NodeState>& states) {
  for (const std::string& need : needs) {
    const NodeState state = states.at(need);
    if (state == NodeState::failed) return "it needs '" + need + "', which failed";
    if (state == NodeState::stopped) return "it needs '" + need + "', which was stopped";
  }
  for (const std::string& need : needs) {
    if (states.at(need) != NodeState::finished) return "it needs '" + need + "', which was skipped";
  }
  return "";
}

/// `over` laid upon `under`: node -> parameter -> value.
Json merged(const Json& under, const Json& over) {
  Json all = under;
  for (const auto& [node, values] : over.object()) {
    Json of_node = under[node].is_object() ? under[node] : Json(Json::Object{});
    for (const auto& [parameter, value] : values.object()) of_node.set(parameter, value);
    all.set(node, std::move(of_node));
  }
  return all;
}

}  // namespace

Pipelines::Pipelines(catalog::Database& database, store::Store& store, const Clock& clock, EventSink& events,
                     Counters& counters, std::map<std::string, NodeKind*> kinds)
    : database_(database),
      store_(store),
      clock_(clock),
      events_(events),
      hits_(counters.counter("pipeline_cache_total", "Pipeline nodes looked up in the cache", {{"answer", "hit"}})),
      misses_(counters.counter("pipeline_cache_total", "Pipeline nodes looked up in the cache", {{"answer", "miss"}})),
      kinds_(std::move(kinds)),
      lease_(database, "pipelines", kPipelinesLease) {
  thread_ = Thread("pipelines", [this] { loop(); });
}

Pipelines::~Pipelines() {
  wanted_.lock()->stopping = true;
  changed_.notify_all();
  thread_.join();
}

void Pipelines::wake() {
  wanted_.lock()->work = true;
  changed_.notify_all();
}

/// On one PostgreSQL with several servers, one of them moves the pipelines on.
bool Pipelines::leads() { return !database_.is_postgres() || lease_.hold(clock_.now()); }

void Pipelines::loop() {
  bool idle = false;
  while (true) {
    {
      auto wanted = wanted_.lock();
      const auto has_news = [&] { return wanted->stopping || wanted->work; };
      if (idle && !database_.is_postgres()) {
        wanted.wait(changed_, has_news);
      } else {
        wanted.wait_until(changed_, std::chrono::steady_clock::now() + (idle ? kIdleInterval : kPollInterval),
                          has_news);
      }
      if (wanted->stopping) return;
      wanted->work = false;
    }
    idle = true;
    if (!leads()) continue;
    while (advance()) {
    }
    const auto left = database_.read_value(rows::count_running);
    idle = left.ok() && *left == 0;
  }
}

Result<Plan> Pipelines::plan(std::string_view file, std::string_view pipeline, const Json& parameters) const {
  Plan plan = TRY(make_plan(file, pipeline, parameters));
  for (const auto& [node_name, node] : plan.pipeline.nodes) {
    if (kinds_.count(std::string(kind_of(node)))) continue;
    return Error{
        ErrorCode::unsupported,
        fmt::format("the node '{}' is a {}, which this server cannot run in a pipeline yet", node_name, kind_of(node))};
  }
  return plan;
}

Result<void> Pipelines::keep_snapshot(const std::string& snapshot, const std::string& manifest) {
  for (const std::string& text : {snapshot, manifest}) {
    if (text.empty()) continue;
    const auto kept = store_.lease(TRY(parse_hash(text)));
    if (kept.ok()) continue;
    if (kept.error().code != ErrorCode::not_found) return kept.error();
    return Error{ErrorCode::failed_precondition, "the snapshot " + text + " is not on the server; upload it first"};
  }
  return {};
}

Result<void> Pipelines::write_start(const PipelineRun& run, const catalog::Write& also) {
  TRY(keep_snapshot(run.snapshot, run.manifest));
  const std::int64_t running = TRY(database_.read_value(rows::count_running));
  if (running >= static_cast<std::int64_t>(kPipelineRunsRunningMax))
    return Error{ErrorCode::busy, fmt::format("{} pipelines run already; try again later", running)};
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(rows::insert_run(c, run));
    return also ? also(c) : Result<void>();
  }));
  events_.emit({EventKind::pipeline_run_changed, run.project, run.id.text});
  wake();
  return {};
}

Result<PipelineRun> Pipelines::start(const NewPipelineRun& request, const catalog::Write& also) {
  const Plan plan = TRY(this->plan(request.file, request.pipeline, request.parameters));
  PipelineRun run;
  run.id = request.id.empty() ? new_id<PipelineRunId>(clock_) : request.id;
  run.project = request.project;
  run.pipeline = request.pipeline;
  run.member = request.member;
  run.reason = request.reason;
  run.file = request.file;
  run.snapshot = request.snapshot;
  run.manifest = request.manifest;
  run.parameters = request.parameters;
  run.created_at = clock_.now();
  run.nodes = waiting_nodes(plan);
  run.causes = request.causes;
  run.ancestors = request.ancestors;
  TRY(write_start(run, also));
  return run;
}

/// Lets nodes that finished keep what they made, unless it is gone or something they need runs again; false when all
/// do.
Result<bool> Pipelines::keep_results(const Plan& plan, const PipelineRun& before, const Json& parameters,
                                     PipelineRun& run) {
  std::map<std::string, const NodeRow*> old;
  for (const NodeRow& node : before.nodes) old[node.node] = &node;
  std::map<std::string, NodeRow*> now;
  for (NodeRow& node : run.nodes) now[node.node] = &node;
  size_t kept = 0;
  for (const std::string& name : plan.graph.order) {
    const NodeRow* made = old[name];
    NodeRow& node = *now.at(name);
    bool keeps = made && made->state == NodeState::finished && !parameters.find(name);
    for (const std::string& need : node.needs) keeps = keeps && now.at(need)->state == NodeState::finished;
    if (!keeps || !TRY(kinds_.at(node.kind)->still_exists(run.project, made->result))) continue;
    node.state = NodeState::finished;
    node.cache = "kept";
    node.why = "it finished in pipeline run " + before.id.text + ", of which this run does the rest";
    node.result = made->result;
    ++kept;
  }
  return kept < run.nodes.size();
}

Result<PipelineRun> Pipelines::rerun(const Rerun& request) {
  const PipelineRun before = TRY(get(request.project, request.run));
  if (!is_over(before.state)) {
    return Error{ErrorCode::failed_precondition,
                 fmt::format("the pipeline run {} is {}; wait for its end, or stop it with `slipway pipelines stop {}`",
                             before.id.text, name(before.state), before.id.text)};
  }
  PipelineRun run;
  run.parameters = merged(before.parameters, request.parameters);
  const Plan plan = TRY(this->plan(before.file, before.pipeline, run.parameters));
  run.id = new_id<PipelineRunId>(clock_);
  run.project = before.project;
  run.pipeline = before.pipeline;
  run.member = request.member;
  run.reason = fmt::format("{} of pipeline run {}", request.from_failed ? "the rest" : "a rerun", before.id.text);
  run.file = before.file;
  run.snapshot = before.snapshot;
  run.manifest = before.manifest;
  run.created_at = clock_.now();
  run.rerun_of = before.id;
  run.ancestors = before.ancestors;
  run.nodes = waiting_nodes(plan);
  if (request.from_failed && !TRY(keep_results(plan, before, request.parameters, run))) {
    return Error{
        ErrorCode::failed_precondition,
        fmt::format("every node of the pipeline run {} finished, so nothing of it is left to do; rerun it whole",
                    before.id.text)};
  }
  TRY(write_start(run, nullptr));
  return run;
}

Result<PipelineRun> Pipelines::get(const ProjectId& project, const PipelineRunId& id) {
  auto run = TRY(database_.read_value([&](Connection& c) { return rows::select_run(c, project, id); }));
  if (!run) return no_such_run(id);
  return std::move(*run);
}

Result<std::vector<PipelineRun>> Pipelines::list(const ProjectId& project, std::string_view pipeline, size_t most,
                                                 std::string_view before) {
  return database_.read_value([&](Connection& c) { return rows::select_runs(c, project, pipeline, most, before); });
}

Result<std::vector<std::pair<std::string, std::int64_t>>> Pipelines::run_counts(const ProjectId& project) {
  return database_.read_value([&](Connection& c) { return rows::count_runs(c, project); });
}

Result<void> Pipelines::visit_snapshots(const std::function<void(const Hash&, bool)>& visit) {
  std::vector<std::pair<Hash, bool>> named;
  TRY(database_.read([&](Connection& c) {
    return rows::select_snapshots(c, [&](const std::string& tree, const std::string& manifest) {
      if (const auto hash = parse_hash(tree); hash.ok()) named.emplace_back(*hash, true);
      if (const auto hash = parse_hash(manifest); hash.ok()) named.emplace_back(*hash, false);
    });
  }));
  // A tree that is gone would stop the sweep; nothing can be done for a run whose code went before runs named theirs.
  for (const auto& [hash, is_tree] : named) {
    if (TRY(store_.contains(hash))) visit(hash, is_tree);
  }
  return {};
}

Result<PipelineRun> Pipelines::stop(const ProjectId& project, const PipelineRunId& id) {
  auto run = TRY(database_.write_value(Durability::record, [&](Connection& c) -> Result<PipelineRun> {
    auto found = TRY(rows::select_run(c, project, id));
    if (!found) return no_such_run(id);
    if (is_over(found->state))
      return Error{ErrorCode::failed_precondition,
                   "the pipeline run " + id.text + " is " + std::string(name(found->state)) + " already"};
    found->state = PipelineRunState::stopping;
    TRY(rows::update_run(c, id, found->state, std::nullopt));
    return std::move(*found);
  }));
  wake();
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
    if (!advanced.ok())
      log_warning("pipelines", "a pipeline run could not go on",
                  {{"pipeline_run", run.id.text}, {"error", advanced.error().message}});
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

/// A run whose file this server does not understand (an older or a newer one wrote it) can only end.
Result<void> Pipelines::give_up(PipelineRun& run, const Error& why) {
  for (NodeRow& node : run.nodes) {
    if (node.state == NodeState::waiting || node.state == NodeState::running) fail(node, why.message);
  }
  return database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    for (const NodeRow& node : run.nodes) TRY(rows::update_node(c, run.id, node));
    return rows::update_run(c, run.id, PipelineRunState::failed, clock_.now());
  });
}

Result<bool> Pipelines::advance_run(PipelineRun& run) {
  const auto read = plans_.get(run.id.text, [&]() -> Result<Plan> {
    const std::string file = TRY(database_.read_value([&](Connection& c) { return rows::select_file(c, run.id); }));
    return make_plan(file, run.pipeline, run.parameters);
  });
  if (!read.ok() && read.error().code != ErrorCode::unavailable && read.error().code != ErrorCode::busy) {
    TRY(give_up(run, read.error()));
    return true;
  }
  const auto plan = TRY(read);
  const bool stopping = run.state == PipelineRunState::stopping;
  bool moved = false;
  std::map<std::string, NodeState> states;
  for (NodeRow& node : run.nodes) {
    if (node.state == NodeState::running) moved = TRY(poll_node(run, *plan, node)) || moved;
    states[node.node] = node.state;
  }
  const Next next = decide(plan->graph, states, stopping);
  for (NodeRow& node : run.nodes) {
    if (std::count(next.skip.begin(), next.skip.end(), node.node) > 0) {
      node.state = NodeState::skipped;
      node.message = stopping ? "the pipeline was stopped" : why_skipped(plan->graph.needs.at(node.node), states);
      states[node.node] = node.state;
      TRY(write_node(run, node));
      moved = true;
    } else if (std::count(next.start.begin(), next.start.end(), node.node) > 0) {
      TRY(start_node(run, *plan, node));
      moved = true;
    }
  }
  if (next.ended) {
    TRY(database_.write(Durability::record,
                        [&](Connection& c) { return rows::update_run(c, run.id, *next.ended, clock_.now()); }));
    moved = true;
  }
  return moved;
}

Result<void> Pipelines::start_node(const PipelineRun& run, const Plan& plan, NodeRow& node) {
  NodeKind& kind = *kinds_.at(node.kind);
  node.started_at = clock_.now();
  auto declaration = fill_in(*find(plan.pipeline.nodes, node.node), results_of(run));
  if (!declaration.ok()) {
    fail(node, declaration.error().message);
    return write_node(run, node);
  }
  const NodeRequest request = request_for(run, plan, node.node, std::move(*declaration));
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
  const auto before =
      TRY(database_.read_value([&](Connection& c) { return rows::select_result(c, request.project, node.cache_key); }));
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
  const auto latest = TRY(database_.read_value(
      [&](Connection& c) { return rows::select_latest_result(c, request.project, request.pipeline, request.node); }));
  node.why = latest ? explain_difference(latest->parts, parts) : "it never finished before";
  return false;
}

Result<bool> Pipelines::poll_node(const PipelineRun& run, const Plan& plan, NodeRow& node) {
  NodeKind& kind = *kinds_.at(node.kind);
  const NodeRequest request =
      request_for(run, plan, node.node, TRY(fill_in(*find(plan.pipeline.nodes, node.node), results_of(run))));
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
    node.state = progress->state == NodeProgress::State::finished ? NodeState::finished
                 : run.state == PipelineRunState::stopping        ? NodeState::stopped
                                                                  : NodeState::failed;
    node.ended_at = clock_.now();
  }
  const Json parts =
      node.state == NodeState::finished && !node.cache_key.empty() ? TRY(kind.inputs_of(request)) : Json();
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(rows::update_node(c, run.id, node));
    // Inputs that moved while the node ran (a branch, say) make another key: what came out belongs to neither.
    if (!parts.is_null() && cache_key_of(node.kind, parts) == node.cache_key) {
      TRY(rows::upsert_result(c, run.project, {node.cache_key, run.pipeline, node.node, parts, node.result, run.id},
                              clock_.now()));
    }
    return {};
  }));
  return true;
}

}  // namespace slipway::pipelines

#include "api/native/pipelines.h"

#include <map>

#include "api/api.h"

namespace slipway::api {
namespace {

using pipelines::NodeRow;
using pipelines::PipelineRun;
using pipelines::Pipelines;

constexpr size_t kPipelinesLookedAt = 1000;  // newest runs, to tell which pipelines there are

Json node_json(const NodeRow& node, const std::vector<std::string>& after) {
  Json::Array before;
  for (const std::string& need : after) before.emplace_back(need);
  Json json{Json::Object{}};
  json.set("name", node.node).set("kind", node.kind).set("state", name(node.state)).set("run_id", node.result["run_id"]).set("evaluation_id", node.result["evaluation_id"]);
  json.set("outputs", node.result["outputs"]).set("cache", node.cache.empty() ? Json() : Json(node.cache)).set("why", node.why).set("message", node.message);
  return json.set("after", std::move(before)).set("started_at", time_json(node.started_at)).set("ended_at", time_json(node.ended_at));
}

Json run_json(const PipelineRun& run) {
  std::map<std::string, std::vector<std::string>> needs;
  const auto file = parse_project_file(run.file);
  if (file.ok()) {
    if (const Pipeline* pipeline = find(file->pipelines, run.pipeline)) {
      auto graph = pipelines::make_graph(*pipeline);
      if (graph.ok()) needs = std::move(graph->needs);
    }
  }
  Json::Array nodes;
  for (const NodeRow& node : run.nodes) nodes.push_back(node_json(node, needs[node.node]));
  Json json{Json::Object{}};
  json.set("id", run.id.text).set("pipeline", run.pipeline).set("state", name(run.state)).set("member", run.member).set("reason", run.reason).set("snapshot", run.snapshot);
  return json.set("created_at", time_json(run.created_at)).set("ended_at", time_json(run.ended_at)).set("nodes", std::move(nodes));
}

/// The pipelines of the newest runs, each with its last run.
Result<Json> list_pipelines(Pipelines& pipelines, const http::Request& request) {
  std::vector<std::string> order;
  std::map<std::string, std::pair<PipelineRun, std::int64_t>> latest;
  for (PipelineRun& run : TRY(pipelines.list(project_of(request), kPipelinesLookedAt, ""))) {
    auto [at, is_new] = latest.try_emplace(run.pipeline, run, 0);
    at->second.second += 1;
    if (is_new) order.push_back(run.pipeline);
  }
  Json::Array items;
  for (const std::string& pipeline : order) {
    const auto& [run, count] = latest.at(pipeline);
    items.push_back(Json(Json::Object{}).set("name", pipeline).set("run_count", count).set("last_run", run_json(run)));
  }
  return Json(Json::Object{}).set("pipelines", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> list(Pipelines& pipelines, const http::Request& request) {
  const Page page = TRY(page_of(request));
  const auto found = TRY(pipelines.list(project_of(request), static_cast<size_t>(page.size), page.token));
  Json::Array items;
  for (const PipelineRun& run : found) items.push_back(run_json(run));
  const Json next = found.size() == static_cast<size_t>(page.size) ? Json(found.back().id.text) : Json();
  return Json(Json::Object{}).set("pipeline_runs", std::move(items)).set("next_page_token", next);
}

Result<Json> create(Pipelines& pipelines, const http::Request& request) {
  const Json body = TRY(json_body(request));
  const Caller caller = caller_of(request);
  pipelines::NewPipelineRun wanted;
  wanted.project = project_of(request);
  wanted.pipeline = TRY(required_string(body, "pipeline"));
  wanted.file = TRY(required_string(body, "project_file"));
  wanted.snapshot = TRY(optional_string(body, "snapshot"));
  wanted.reason = TRY(optional_string(body, "reason", "started by hand"));
  wanted.member = caller.name;
  if (body["parameters"].is_object()) wanted.parameters = body["parameters"];
  return run_json(TRY(pipelines.start(wanted)));
}

Result<Json> get(Pipelines& pipelines, const http::Request& request) {
  return run_json(TRY(pipelines.get(project_of(request), PipelineRunId(request.parameter("run")))));
}

Result<Json> stop(Pipelines& pipelines, const http::Request& request) {
  return run_json(TRY(pipelines.stop(project_of(request), PipelineRunId(request.parameter("run")))));
}

}  // namespace

void add_pipelines(http::Router& router, Pipelines& pipelines) {
  using http::Method;
  using Function = Result<Json> (*)(Pipelines&, const http::Request&);
  const auto add = [&](Method method, const char* pattern, Function function, int status = 200) {
    router.add(method, pattern, [&pipelines, function, status](http::Request& request, http::Responder responder) {
      answer(responder, function(pipelines, request), [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  add(Method::get, "/api/v1/pipelines", list_pipelines);
  add(Method::get, "/api/v1/pipeline_runs", list);
  add(Method::post, "/api/v1/pipeline_runs", create, 201);
  add(Method::get, "/api/v1/pipeline_runs/{run}", get);
  add(Method::post, "/api/v1/pipeline_runs/{run}/stop", stop);
}

}  // namespace slipway::api

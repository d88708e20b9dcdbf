#include "api/native/pipelines.h"

#include <fmt/format.h>

#include <map>

#include "api/api.h"
#include "base/text.h"
#include "domain/cron.h"

namespace slipway::api {
namespace {

using http::Request;
using pipelines::Definition;
using pipelines::NodeRow;
using pipelines::PipelineRun;
using pipelines::Plan;
using pipelines::TriggerRow;

struct Rooms {
  pipelines::Pipelines& pipelines;
  pipelines::Definitions& definitions;
};

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json texts(const std::vector<std::string>& items) {
  Json::Array list;
  for (const std::string& item : items) list.emplace_back(item);
  return list;
}

/// `parameters` of a body: node -> parameter -> value.
Result<Json> parameters_of(const Json& body) {
  const Json& given = body["parameters"];
  if (given.is_null()) return Json(Json::Object{});
  if (given.is_object()) return given;
  return Error{ErrorCode::invalid_argument,
               fmt::format("'parameters' is {}; expected an object of nodes, each with its parameters and values",
                           given.type_name())};
}

// --- runs ----------------------------------------------------------------------------------------------------------

Json node_json(const NodeRow& node) {
  Json json{Json::Object{}};
  json.set("name", node.node)
      .set("kind", node.kind)
      .set("state", name(node.state))
      .set("run_id", node.result["run_id"])
      .set("evaluation_id", node.result["evaluation_id"]);
  json.set("outputs", node.result["outputs"])
      .set("cache", text_or_null(node.cache))
      .set("why", node.why)
      .set("message", node.message);
  return json.set("after", texts(node.needs))
      .set("started_at", time_json(node.started_at))
      .set("ended_at", time_json(node.ended_at));
}

Json run_json(const PipelineRun& run) {
  Json::Array nodes, triggers;
  for (const NodeRow& node : run.nodes) nodes.push_back(node_json(node));
  for (const auto& cause : run.causes)
    triggers.push_back(Json(Json::Object{}).set("name", cause.name).set("kind", cause.kind).set("why", cause.why));
  Json json{Json::Object{}};
  json.set("id", run.id.text)
      .set("pipeline", run.pipeline)
      .set("state", name(run.state))
      .set("member", run.member)
      .set("reason", run.reason)
      .set("snapshot", run.snapshot);
  json.set("triggers", std::move(triggers))
      .set("rerun_of", run.rerun_of ? Json(run.rerun_of->text) : Json())
      .set("parameters", run.parameters);
  return json.set("created_at", time_json(run.created_at))
      .set("ended_at", time_json(run.ended_at))
      .set("nodes", std::move(nodes));
}

Result<Json> list_runs(const Rooms& rooms, const Request& request) {
  const Page page = TRY(page_of(request));
  const auto found = TRY(rooms.pipelines.list(project_of(request), request.query_value("pipeline").value_or(""),
                                              static_cast<size_t>(page.size), page.token));
  Json::Array items;
  for (const PipelineRun& run : found) items.push_back(run_json(run));
  const Json next = found.size() == static_cast<size_t>(page.size) ? Json(found.back().id.text) : Json();
  return Json(Json::Object{}).set("pipeline_runs", std::move(items)).set("next_page_token", next);
}

/// Of the file and snapshot that come with it; without a file, of what is stored.
Result<Json> create_run(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  pipelines::NewPipelineRun wanted;
  wanted.project = project_of(request);
  wanted.pipeline = TRY(required_string(body, "pipeline"));
  wanted.file = TRY(optional_string(body, "project_file"));
  wanted.snapshot = TRY(optional_string(body, "snapshot"));
  wanted.manifest = TRY(optional_string(body, "snapshot_manifest"));
  wanted.reason = TRY(optional_string(body, "reason", "started by hand"));
  wanted.parameters = TRY(parameters_of(body));
  wanted.member = caller_of(request).name;
  if (!wanted.file.empty()) return run_json(TRY(rooms.pipelines.start(wanted)));
  if (!wanted.snapshot.empty())
    return Error{ErrorCode::invalid_argument,
                 "'snapshot' goes with 'project_file', which is missing; without both, the stored pipeline is run"};
  return run_json(
      TRY(rooms.definitions.start(wanted.project, wanted.pipeline, wanted.member, wanted.reason, wanted.parameters)));
}

Result<Json> get_run(const Rooms& rooms, const Request& request) {
  return run_json(TRY(rooms.pipelines.get(project_of(request), PipelineRunId(request.parameter("run")))));
}

Result<Json> stop_run(const Rooms& rooms, const Request& request) {
  return run_json(TRY(rooms.pipelines.stop(project_of(request), PipelineRunId(request.parameter("run")))));
}

Result<Json> rerun(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  const std::string from = TRY(optional_string(body, "from", "start"));
  if (from != "start" && from != "failed")
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'from' is '{}'; expected start or failed", clean_utf8(from, 60))};
  const auto parameters = TRY(parameters_of(body));
  return run_json(TRY(rooms.pipelines.rerun({project_of(request), PipelineRunId(request.parameter("run")),
                                             caller_of(request).name, from == "failed", parameters})));
}

// --- pipelines -----------------------------------------------------------------------------------------------------

/// `row` is null while the pipeline is not enabled.
Json trigger_json(const Trigger& trigger, const TriggerRow* row) {
  const auto schedule = trigger.cron.empty() ? std::nullopt : std::optional(parse_cron(trigger.cron));
  const auto next = row && schedule && schedule->ok() ? next_time(**schedule, system_clock().now()) : std::nullopt;
  Json json{Json::Object{}};
  json.set("name", pipelines::name_of(trigger))
      .set("kind", pipelines::kind_of(trigger))
      .set("state", row ? name(row->state) : "off")
      .set("message", row ? row->message : "");
  json.set("failures", row ? row->failures : 0)
      .set("armed_at", row ? time_json(row->armed_at) : Json())
      .set("fired_at", row ? time_json(row->fired_at) : Json());
  return json.set("pipeline_run_id", row ? text_or_null(row->run) : Json()).set("next_at", time_json(next));
}

Json triggers_json(const Definition& definition, const Plan& plan) {
  Json::Array triggers;
  for (const Trigger& trigger : plan.pipeline.triggers) {
    const TriggerRow* found = nullptr;
    for (const TriggerRow& row : definition.triggers) {
      if (row.name == pipelines::name_of(trigger)) found = &row;
    }
    triggers.push_back(trigger_json(trigger, found));
  }
  return triggers;
}

/// One pipeline: stored, or only known from its runs, or both.
Result<Json> pipeline_json(const Rooms& rooms, const ProjectId& project, const std::string& pipeline,
                           const Definition* stored, std::int64_t run_count) {
  const auto last = TRY(rooms.pipelines.list(project, pipeline, 1, ""));
  Json json{Json::Object{}};
  json.set("name", pipeline)
      .set("run_count", run_count)
      .set("last_run", last.empty() ? Json() : run_json(last.front()))
      .set("stored", stored != nullptr);
  json.set("enabled", stored && stored->enabled)
      .set("member", stored ? Json(stored->member) : Json())
      .set("snapshot", stored ? text_or_null(stored->snapshot) : Json());
  json.set("updated_at", stored ? time_json(stored->updated_at) : Json());
  // A file that an older server took and this one does not understand is no reason to show nothing.
  const auto plan = stored ? rooms.definitions.plan(*stored) : Error{ErrorCode::not_found, ""};
  return json.set("triggers", plan.ok() ? triggers_json(*stored, **plan) : Json(Json::Array{}));
}

Result<Json> list_pipelines(const Rooms& rooms, const Request& request) {
  const ProjectId project = project_of(request);
  std::map<std::string, std::pair<const Definition*, std::int64_t>> known;
  const auto stored = TRY(rooms.definitions.list(project));
  for (const Definition& definition : stored) known[definition.pipeline].first = &definition;
  for (const auto& [pipeline, count] : TRY(rooms.pipelines.run_counts(project))) known[pipeline].second = count;
  Json::Array items;
  for (const auto& [pipeline, what] : known)
    items.push_back(TRY(pipeline_json(rooms, project, pipeline, what.first, what.second)));
  return Json(Json::Object{}).set("pipelines", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> show_pipeline(const Rooms& rooms, const ProjectId& project, const std::string& pipeline) {
  std::int64_t run_count = 0;
  for (const auto& [each, count] : TRY(rooms.pipelines.run_counts(project))) {
    if (each == pipeline) run_count = count;
  }
  const auto stored = rooms.definitions.get(project, pipeline);
  if (!stored.ok() && (stored.error().code != ErrorCode::not_found || run_count == 0)) return stored.error();
  return pipeline_json(rooms, project, pipeline, stored.ok() ? &*stored : nullptr, run_count);
}

Result<Json> get_pipeline(const Rooms& rooms, const Request& request) {
  return show_pipeline(rooms, project_of(request), std::string(request.parameter("pipeline")));
}

Result<Json> put_pipeline(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  pipelines::NewDefinition wanted;
  wanted.project = project_of(request);
  wanted.pipeline = request.parameter("pipeline");
  wanted.member = caller_of(request).name;
  wanted.file = TRY(required_string(body, "project_file"));
  wanted.snapshot = TRY(optional_string(body, "snapshot"));
  wanted.manifest = TRY(optional_string(body, "snapshot_manifest"));
  wanted.enabled = TRY(optional_boolean(body, "enabled", false));
  TRY(rooms.definitions.put(wanted));
  return show_pipeline(rooms, wanted.project, wanted.pipeline);
}

Result<Json> change_pipeline(const Rooms& rooms, const Request& request) {
  const Json body = TRY(json_body(request));
  const Json& enabled = body["enabled"];
  if (!enabled.is_bool())
    return Error{ErrorCode::invalid_argument, fmt::format("'enabled' is {}; expected true or false",
                                                          enabled.is_null() ? "missing" : enabled.type_name())};
  const std::string pipeline(request.parameter("pipeline"));
  TRY(rooms.definitions.set_enabled(project_of(request), pipeline, *enabled.boolean()));
  return show_pipeline(rooms, project_of(request), pipeline);
}

// --- what a pipeline is made of ------------------------------------------------------------------------------------

Json parameter_json(const std::string& name, const Parameter& parameter, const Json& value) {
  Json json{Json::Object{}};
  json.set("name", name)
      .set("type", slipway::name(parameter.type))
      .set("value", value)
      .set("default", parameter.default_value.value_or(Json()))
      .set("help", parameter.help);
  json.set("min", parameter.min ? Json(*parameter.min) : Json())
      .set("max", parameter.max ? Json(*parameter.max) : Json());
  return json.set("choices", Json(Json::Array(parameter.choices)));
}

/// The parameters of a node's step, each with the value it would have.
Json parameters_json(const Plan& plan, const PipelineNode& node) {
  Json::Array parameters;
  const Step* step = find(plan.file.steps, node.step);
  if (!step) return parameters;
  for (const auto& [name, parameter] : step->parameters) {
    const Json* given = find(node.parameters, name);
    parameters.push_back(parameter_json(name, parameter, given ? *given : parameter.default_value.value_or(Json())));
  }
  return parameters;
}

Json plan_json(const Plan& plan, const std::string& file, const std::string& snapshot) {
  Json::Array nodes;
  for (const auto& [name, node] : plan.pipeline.nodes) {
    const std::string uses = node.step + node.evaluate + node.deploy + node.sweep;  // one of them is set
    nodes.push_back(Json(Json::Object{})
                        .set("name", name)
                        .set("kind", pipelines::kind_of(node))
                        .set("uses", uses)
                        .set("after", texts(plan.graph.needs.at(name)))
                        .set("parameters", parameters_json(plan, node)));
  }
  return Json(Json::Object{})
      .set("project_file", file)
      .set("snapshot", text_or_null(snapshot))
      .set("nodes", std::move(nodes));
}

Result<Json> get_definition(const Rooms& rooms, const Request& request) {
  const Definition stored = TRY(rooms.definitions.get(project_of(request), request.parameter("pipeline")));
  return plan_json(*TRY(rooms.definitions.plan(stored)), stored.file, stored.snapshot);
}

Result<Json> get_run_definition(const Rooms& rooms, const Request& request) {
  const PipelineRun run = TRY(rooms.pipelines.get(project_of(request), PipelineRunId(request.parameter("run"))));
  return plan_json(TRY(rooms.pipelines.plan(run.file, run.pipeline, run.parameters)), run.file, run.snapshot);
}

}  // namespace

void add_pipelines(http::Router& router, pipelines::Pipelines& pipelines, pipelines::Definitions& definitions) {
  using http::Method;
  using Function = Result<Json> (*)(const Rooms&, const Request&);
  const Rooms rooms{pipelines, definitions};
  const auto add = [&](Method method, const char* pattern, Function function, int status = 200) {
    router.add(method, pattern, [rooms, function, status](http::Request& request, http::Responder responder) {
      answer(responder, function(rooms, request),
             [status](const Json& json) { return http::Response::json(json.render(), status); });
    });
  };
  add(Method::get, "/api/v1/pipelines", list_pipelines);
  add(Method::get, "/api/v1/pipelines/{pipeline}", get_pipeline);
  add(Method::put, "/api/v1/pipelines/{pipeline}", put_pipeline);
  add(Method::patch, "/api/v1/pipelines/{pipeline}", change_pipeline);
  add(Method::get, "/api/v1/pipelines/{pipeline}/definition", get_definition);
  add(Method::get, "/api/v1/pipeline_runs", list_runs);
  add(Method::post, "/api/v1/pipeline_runs", create_run, 201);
  add(Method::get, "/api/v1/pipeline_runs/{run}", get_run);
  add(Method::get, "/api/v1/pipeline_runs/{run}/definition", get_run_definition);
  add(Method::post, "/api/v1/pipeline_runs/{run}/stop", stop_run);
  add(Method::post, "/api/v1/pipeline_runs/{run}/rerun", rerun, 201);
}

}  // namespace slipway::api

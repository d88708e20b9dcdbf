#include "api/native/runs_execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/api.h"
#include "api/idempotency.h"
#include "base/text.h"
#include "domain/tree.h"

namespace slipway::api {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using runs::Attempt;
using runs::Execution;

constexpr std::uint64_t kLogBytesDefault = 256 << 10;
constexpr size_t kFilesShownMax = 20'000;

struct Context {
  runs::Runs& runs;
  LogFollowers& followers;
  tracking::Tracking& tracking;
  registry::Registry& registry;
  store::Store& store;
  std::function<Json(const tracking::Run&)> render_run;
};

RunId id_of(const Request& request) { return RunId(request.parameter("run")); }

Result<Json> run_answer(Context& context, const ProjectId& project, const RunId& run) {
  return context.render_run(TRY(context.tracking.runs().get(project, run)));
}

Result<Named<Json>> parameters_of(const Json& body) {
  const Json given = TRY(optional_object(body, "parameters"));
  Named<Json> out;
  for (const auto& [name, value] : given.object()) out.emplace_back(name, value);
  return out;
}

/// What a spec's reader takes for absent when it has another type.
Result<void> check_types(const Json& body) {
  for (const char* key : {"command", "step", "snapshot"}) TRY(optional_string(body, key));
  for (const char* key :
       {"parameters", "inputs", "outputs", "environment", "variables", "resources", "retry", "limits"})
    TRY(optional_object(body, key));
  return {};
}

/// With a project file, the step's own declaration is taken and the body's parameters and inputs are put over it.
Result<RunSpec> spec_of(const Json& body) {
  TRY(check_types(body));
  if (body["project_file"].is_null()) return parse_run_spec(body);
  const ProjectFile file = TRY(parse_project_file(TRY(required_string(body, "project_file"))));
  const Named<std::string> inputs = TRY(optional_text_pairs(body, "inputs"));
  RunSpec spec = TRY(make_run_spec(file, TRY(required_string(body, "step")), TRY(parameters_of(body)), inputs));
  spec.snapshot = TRY(optional_string(body, "snapshot"));
  if (!spec.snapshot.empty()) TRY(parse_hash(spec.snapshot));
  return spec;
}

Result<Json> submit(Context& context, const Request& request) {
  const Json body = TRY(json_body(request));
  const Caller caller = caller_of(request);
  runs::NewExecution wanted;
  wanted.project = project_of(request);
  wanted.member = caller.member;
  wanted.member_name = caller.name;
  wanted.spec = TRY(spec_of(body));
  wanted.manifest = TRY(optional_string(body, "snapshot_manifest"));
  wanted.name = TRY(optional_string(body, "name"));
  wanted.experiment = TRY(optional_string(body, "experiment"));
  wanted.request_key = Idempotency::request_key(request);
  for (const auto& [key, value] : TRY(optional_text_pairs(body, "tags"))) wanted.tags[key] = value;
  if (caller.run) wanted.source = Json(Json::Object{{"started_by_run", caller.run->text}});
  return run_answer(context, wanted.project, TRY(context.runs.submit(wanted)));
}

Result<Json> stop(Context& context, const Request& request) {
  const Json body = TRY(json_body(request));
  const double grace_s = TRY(optional_number(body, "grace_s", -1));
  std::optional<Duration> grace;
  if (body.find("grace_s") && !(grace_s >= 0 && grace_s <= 86'400)) {
    return Error{ErrorCode::invalid_argument, "'grace_s' is not between 0 and 86400 seconds"};
  }
  if (grace_s >= 0) grace = Duration(static_cast<std::int64_t>(grace_s * 1e6));
  TRY(context.runs.stop(project_of(request), id_of(request), grace));
  return run_answer(context, project_of(request), id_of(request));
}

Result<Json> rerun(Context& context, const Request& request) {
  const Caller caller = caller_of(request);
  const auto parameters = TRY(parameters_of(TRY(json_body(request))));
  return run_answer(
      context, project_of(request),
      TRY(context.runs.rerun(project_of(request), id_of(request), parameters, caller.member, caller.name)));
}

Json attempt_json(const Attempt& attempt) {
  const auto& result = attempt.result;
  Json json;
  json.set("id", attempt.id.text)
      .set("number", attempt.number)
      .set("state", runs::name(attempt.state))
      .set("phase", attempt.phase);
  json.set("node", attempt.node).set("pid", attempt.pid).set("command_pid", attempt.command_pid);
  json.set("started_at", time_json(attempt.started_at)).set("ended_at", time_json(attempt.ended_at));
  json.set("heartbeat_at", time_json(attempt.heartbeat_at))
      .set("cpu_s", attempt.cpu_s)
      .set("memory_bytes", attempt.memory_bytes);
  json.set("end", result ? Json(name(result->end)) : Json())
      .set("exit_code", result ? Json(result->exit_code) : Json());
  return json.set("signal", result ? Json(result->signal) : Json())
      .set("message", result ? Json(result->message) : Json());
}

Result<Json> attempts(Context& context, const Request& request) {
  Json::Array items;
  for (const Attempt& attempt : TRY(context.runs.attempts(project_of(request), id_of(request))))
    items.push_back(attempt_json(attempt));
  return Json().set("attempts", std::move(items)).set("next_page_token", nullptr);
}

Result<Json> outputs(Context& context, const Request& request) {
  Json::Array items;
  for (const auto& output : TRY(context.runs.outputs(project_of(request), id_of(request)))) {
    Json json;
    json.set("name", output.name)
        .set("path", output.path)
        .set("hash", render(output.hash))
        .set("is_tree", output.is_tree)
        .set("size", output.bytes);
    json.set("model", output.model.empty() ? Json() : Json(output.model))
        .set("version", output.version > 0 ? Json(output.version) : Json());
    json.set("dataset", output.dataset.empty() ? Json() : Json(output.dataset))
        .set("commit_id", output.commit.empty() ? Json() : Json(output.commit));
    items.push_back(std::move(json));
  }
  return Json().set("outputs", std::move(items));
}

/// `raw=true` answers the bytes as they are, with the next offset in a header; else text in JSON, where bytes that are
/// no UTF-8 become U+FFFD.
Result<http::Response> log(Context& context, const Request& request) {
  const ProjectId project = project_of(request);
  const Execution execution =
      TRY(context.runs.get(project, id_of(request)));  // before the log: once over, the log is whole
  const auto offset = parse_i64(request.query_value("offset").value_or("0"));
  const auto most = parse_u64(request.query_value("bytes_max").value_or(std::to_string(kLogBytesDefault)));
  if (!offset || !most || *most == 0)
    return Error{ErrorCode::invalid_argument, "'offset' or 'bytes_max' is no number of bytes"};
  const auto piece = TRY(context.runs.log().read(id_of(request), *offset, *most));
  const bool end = is_over(execution.state) && execution.is_told && piece.next_offset >= piece.size;
  if (TRY(query_flag(request, "raw"))) {
    http::Response response;
    response.headers.set("Content-Type", "application/octet-stream")
        .set("X-Slipway-Next-Offset", std::to_string(piece.next_offset));
    response.headers.set("X-Slipway-End", end ? "true" : "false")
        .set("X-Slipway-State", std::string(name(execution.state)));
    response.body = piece.bytes;
    return response;
  }
  Json json;
  json.set("offset", piece.offset)
      .set("next_offset", piece.next_offset)
      .set("size", piece.size)
      .set("text", clean_utf8(piece.bytes))
      .set("end", end);
  return http::Response::json(json.render());
}

void follow(Context& context, const Request& request, const Responder& responder) {
  const auto offset = parse_u64(request.query_value("offset").value_or("0"));
  if (!offset) return responder.send(error_response({ErrorCode::invalid_argument, "'offset' is no number of bytes"}));
  const auto followed = context.followers.follow(project_of(request), id_of(request), *offset, responder);
  if (!followed.ok()) responder.send(error_response(followed.error()));
}

Result<Json> snapshot(Context& context, const Request& request) {
  const Execution execution = TRY(context.runs.get(project_of(request), id_of(request)));
  if (execution.spec.snapshot.empty())
    return Error{ErrorCode::not_found, "the run was started without a snapshot of code"};
  Json manifest{Json::Object{}};
  if (!execution.manifest.empty())
    manifest = TRY(Json::parse(TRY(context.store.get(TRY(parse_hash(execution.manifest))))));
  const Tree tree = TRY(context.registry.datasets().tree(TRY(parse_hash(execution.spec.snapshot))));
  std::set<std::string> untracked;
  for (const Json& path : manifest["untracked"].array()) untracked.insert(path.string());
  Json::Array files;
  for (const TreeEntry& entry : tree.entries) {
    if (files.size() >= kFilesShownMax) break;
    files.push_back(Json()
                        .set("path", entry.path)
                        .set("size", entry.size)
                        .set("hash", render(entry.hash))
                        .set("untracked", untracked.contains(entry.path)));
  }
  Json json;
  json.set("tree", execution.spec.snapshot)
      .set("commit", manifest["commit"])
      .set("branch", manifest["branch"])
      .set("remote", manifest["remote"]);
  json.set("dirty", manifest["dirty"])
      .set("diff", manifest["diff"])
      .set("diff_cut", manifest["diff_cut"])
      .set("submodules", manifest["submodules"]);
  json.set("files", std::move(files)).set("file_count", static_cast<std::int64_t>(tree.entries.size()));
  return json.set("omitted", manifest["omitted"].is_array() ? manifest["omitted"] : Json(Json::Array{}));
}

template <const char* kKind>
Result<Json> document(Context& context, const Request& request) {
  Json found = TRY(context.runs.document(project_of(request), id_of(request), kKind));
  if (found.is_null()) return Error{ErrorCode::not_found, fmt::format("the run has no record of its {} (yet)", kKind)};
  return found;
}
constexpr char kEnvironment[] = "environment";
constexpr char kMachine[] = "machine";

/// Where people see a thing of the lineage; empty for what has no page.
std::string url_of(const registry::Node& node) {
  if (node.kind == "run") return "/runs/" + http::url_encode(node.id);
  if (node.kind == "model_version") {
    const size_t slash = node.id.rfind('/');
    return "/models/" + http::url_encode(node.id.substr(0, slash)) + "/versions/" + node.id.substr(slash + 1);
  }
  if (node.kind == "evaluation") return "/evaluations/" + http::url_encode(node.id);
  return "";
}

Json lineage_json(Context& context, const registry::Node& node, const std::string& relation) {
  Json json;
  json.set("kind", node.kind)
      .set("id", node.id)
      .set("name", node.id)
      .set("url", url_of(node))
      .set("relation", relation);
  if (node.kind == "dataset_commit") {
    if (const auto commit = context.registry.datasets().get_commit(CommitId(node.id)); commit.ok()) {
      json.set("name", commit->dataset + "@" + node.id.substr(0, 10));
      json.set("url", "/datasets/" + http::url_encode(commit->dataset) + "/commits/" + node.id);
    }
  }
  return json;
}

/// What a client said that its run read; nothing here knows more of it.
Json told_json(const tracking::InputDataset& dataset) {
  const auto way = std::ranges::find(dataset.tags, "mlflow.data.context", &std::pair<std::string, std::string>::first);
  return Json()
      .set("kind", "dataset")
      .set("id", dataset.digest)
      .set("name", dataset.name + "@" + dataset.digest)
      .set("url", "")
      .set("relation", way == dataset.tags.end() ? "" : way->second);
}

Result<Json> lineage(Context& context, const Request& request) {
  const ProjectId project = project_of(request);
  TRY(context.tracking.runs().get(project, id_of(request)));
  const registry::Node run{"run", id_of(request).text};
  Json::Array inputs, made;
  for (const auto& edge : TRY(context.registry.lineage().incoming(run)))
    inputs.push_back(lineage_json(context, edge.from, edge.relation));
  for (const auto& dataset : TRY(context.tracking.runs().inputs(project, id_of(request))).datasets)
    inputs.push_back(told_json(dataset));
  for (const auto& edge : TRY(context.registry.lineage().outgoing(run)))
    made.push_back(lineage_json(context, edge.to, edge.relation));
  return Json().set("inputs", std::move(inputs)).set("outputs", std::move(made));
}

http::Response ok(const Json& json) { return http::Response::json(json.render()); }
http::Response created(const Json& json) { return http::Response::json(json.render(), 201); }

}  // namespace

void enrich_run(runs::Runs& runs, const tracking::Run& run, Json& json) {
  if (run.source_kind != tracking::SourceKind::step) return;
  const auto execution = runs.get(run.project, run.id);
  if (!execution.ok()) return;
  json.set("attempt_count", execution->attempts_made)
      .set("message", execution->message.empty() ? Json() : Json(execution->message));
  if (execution->state == RunState::queued) {
    json.set("queue_message",
             execution->attempts_made > 0 ? "waits to be tried again" : "waits for cores and memory of the local node");
  }
}

Json run_document(runs::Runs& runs, const ProjectId& project, const RunId& run, std::string_view kind) {
  if (kind == "inputs") {
    const auto execution = runs.get(project, run);
    return execution.ok() ? to_json(execution->inputs) : Json();
  }
  return runs.document(project, run, kind).value_or(Json());
}

void add_runs_execution(http::Router& router, runs::Runs& runs, LogFollowers& followers, tracking::Tracking& tracking,
                        registry::Registry& registry, store::Store& store,
                        std::function<Json(const tracking::Run&)> render_run) {
  const auto context =
      std::make_shared<Context>(Context{runs, followers, tracking, registry, store, std::move(render_run)});
  using Function = Result<Json> (*)(Context&, const Request&);
  const auto add = [&](Method method, const std::string& pattern, Function function,
                       http::Response (*render)(const Json&) = ok) {
    router.add(method, pattern, [context, function, render](Request& request, Responder responder) {
      answer(responder, function(*context, request), render);
    });
  };
  const std::string one = "/api/v1/runs/{run}";
  add(Method::post, "/api/v1/runs", submit, created);
  add(Method::post, one + "/stop", stop);
  add(Method::post, one + "/rerun", rerun, created);
  add(Method::get, one + "/attempts", attempts);
  add(Method::get, one + "/outputs", outputs);
  add(Method::get, one + "/snapshot", snapshot);
  add(Method::get, one + "/environment", document<kEnvironment>);
  add(Method::get, one + "/machine", document<kMachine>);
  add(Method::get, one + "/lineage", lineage);
  router.add(Method::get, one + "/log", [context](Request& request, Responder responder) {
    answer(responder, log(*context, request), [](http::Response response) { return response; });
  });
  router.add(Method::get, one + "/log/stream",
             [context](Request& request, Responder responder) { follow(*context, request, responder); });
}

}  // namespace slipway::api

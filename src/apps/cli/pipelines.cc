// slipway pipelines: run a pipeline of slipway.yaml or let triggers do so, and look at those that ran.
#include <cstdio>
#include <map>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "domain/project_file.h"
#include "working_copy.h"

namespace slipway::cli {
namespace {

constexpr Duration kPollInterval = std::chrono::milliseconds(300);
constexpr size_t kRunsListedMax = 200;
constexpr size_t kPipelinesListedMax = 10'000;

bool is_over(const Json& run) { return run["state"].string() != "running" && run["state"].string() != "stopping"; }

std::string told(const Json& node) {
  std::string text = node["state"].string();
  if (node["cache"].string() == "hit") text += " (from the cache)";
  if (node["cache"].string() == "kept") text += " (kept)";
  if (!node["message"].string().empty()) text += ": " + node["message"].string();
  return text;
}

/// Prints each node's state once it changes, until the pipeline run is over.
Result<Json> follow(Context& context, Json run) {
  const std::string path = "/api/v1/pipeline_runs/" + run["id"].string();
  std::map<std::string, std::string> seen;
  while (true) {
    for (const Json& node : run["nodes"].array()) {
      const std::string text = told(node);
      if (!context.json() && seen[node["name"].string()] != text && node["state"].string() != "waiting")
        std::fprintf(stderr, "%-12s %s\n", node["name"].string().c_str(), text.c_str());
      seen[node["name"].string()] = text;
    }
    if (is_over(run)) return run;
    std::this_thread::sleep_for(kPollInterval);
    run = TRY(context.get(path));
  }
}

/// slipway.yaml of the working copy, and a context for the project that it says.
struct WorkingCopy {
  std::filesystem::path path;
  std::string text;
  Context context;
};

Result<WorkingCopy> open_working_copy(Context& outer, const Arguments& arguments) {
  const std::filesystem::path path = TRY(find_project_file(arguments.get("file")));
  const std::string text = TRY(read_file(path, kProjectFileBytesMax));
  const ProjectFile file = TRY(parse_project_file(text, path.filename().string()));
  Context::Settings settings = outer.settings();
  if (settings.project == "default") settings.project = file.project;
  return WorkingCopy{path, text, Context(settings)};
}

/// The body that says which file and code a pipeline is made of, once the server has both.
Result<Json> send_definition(WorkingCopy& copy) {
  const SentSnapshot sent = TRY(send_snapshot(copy.context, copy.path.parent_path(), ""));
  // The runs of its steps say which commit and diff they were made of.
  TRY(copy.context.post("/api/v1/snapshots",
                        Json(Json::Object{}).set("tree", sent.tree).set("manifest", sent.manifest)));
  return Json(Json::Object{})
      .set("project_file", copy.text)
      .set("snapshot", sent.tree)
      .set("snapshot_manifest", sent.manifest);
}

/// "train.lr=0.1" -> {"train": {"lr": "0.1"}}.
Result<Json> parameters_of(const Arguments& arguments) {
  Json parameters{Json::Object{}};
  for (const std::string& word : arguments.all("parameter")) {
    const size_t equals = word.find('=');
    const size_t dot = word.substr(0, equals).rfind('.');
    if (equals == std::string::npos || dot == std::string::npos || dot == 0 || dot + 1 == equals) {
      return Error{ErrorCode::invalid_argument,
                   "'" + word + "' is no parameter of a node; expected node.name=value, such as train.lr=0.1"};
    }
    const std::string node = word.substr(0, dot);
    Json of_node = parameters[node];
    of_node.set(word.substr(dot + 1, equals - dot - 1), word.substr(equals + 1));
    parameters.set(node, std::move(of_node));
  }
  return parameters;
}

/// Says what was started, and stays with it unless told otherwise; the exit code says how it ended.
Result<int> watch_started(Context& context, const Arguments& arguments, Json run) {
  if (!context.json())
    std::fprintf(stderr, "pipeline     %s/pipelines/%s\n", context.settings().url.c_str(), run["id"].string().c_str());
  const bool waits = !arguments.has("detach");
  if (waits) run = TRY(follow(context, std::move(run)));
  if (context.json()) print_json(run);
  if (!waits && !context.json()) std::puts(run["id"].string().c_str());
  if (!waits) return kExitOk;
  if (!context.json()) std::fprintf(stderr, "%s\n", run["state"].string().c_str());
  return run["state"].string() == "finished" ? kExitOk : kExitFailed;
}

Result<int> run_pipeline(Context& outer, const Arguments& arguments) {
  Json body{Json::Object{}};
  body.set("pipeline", arguments.get("pipeline")).set("parameters", TRY(parameters_of(arguments)));
  if (arguments.has("stored")) return watch_started(outer, arguments, TRY(outer.post("/api/v1/pipeline_runs", body)));
  WorkingCopy copy = TRY(open_working_copy(outer, arguments));
  const Json sent = TRY(send_definition(copy));
  for (const auto& [key, value] : sent.object()) body.set(key, value);
  return watch_started(copy.context, arguments, TRY(copy.context.post("/api/v1/pipeline_runs", body)));
}

/// The run that was named, or the newest for `latest`.
Result<std::string> run_path(Context& context, const Arguments& arguments) {
  return "/api/v1/pipeline_runs/" +
         http::url_encode(TRY(resolve_id(context, arguments.get("id"), "/api/v1/pipeline_runs", "pipeline_runs")));
}

Result<int> rerun_pipeline(Context& context, const Arguments& arguments) {
  Json body{Json::Object{}};
  body.set("from", arguments.get("from")).set("parameters", TRY(parameters_of(arguments)));
  return watch_started(context, arguments, TRY(context.post(TRY(run_path(context, arguments)) + "/rerun", body)));
}

std::string pipeline_path(const Arguments& arguments) {
  return "/api/v1/pipelines/" + http::url_encode(arguments.get("pipeline"));
}

void print_triggers(const Json::Array& pipelines) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& pipeline : pipelines) {
    for (const Json& trigger : pipeline["triggers"].array()) {
      const std::string next = trigger["next_at"].string().substr(0, 16);
      const std::string fired = render_ago(trigger["fired_at"]);
      rows.push_back({pipeline["name"].string(), trigger["name"].string(), trigger["state"].string(),
                      fired.empty() ? "never" : fired, next.empty() ? "" : next + "Z", trigger["message"].string()});
    }
  }
  print_table({"PIPELINE", "TRIGGER", "STATE", "FIRED", "NEXT", "MESSAGE"}, rows);
}

Result<int> enable(Context& outer, const Arguments& arguments) {
  WorkingCopy copy = TRY(open_working_copy(outer, arguments));
  const Json pipeline =
      TRY(copy.context.put(pipeline_path(arguments), TRY(send_definition(copy)).set("enabled", true)));
  if (outer.json()) print_json(pipeline);
  if (!outer.json()) print_triggers({pipeline});
  return kExitOk;
}

Result<int> disable(Context& context, const Arguments& arguments) {
  const Json pipeline = TRY(context.patch(pipeline_path(arguments), Json(Json::Object{}).set("enabled", false)));
  if (context.json()) print_json(pipeline);
  if (!context.json())
    std::printf("%s is disabled; `slipway pipelines run %s --stored` still runs it\n",
                pipeline["name"].string().c_str(), pipeline["name"].string().c_str());
  return kExitOk;
}

Result<int> list_triggers(Context& context, const Arguments& arguments) {
  Json::Array pipelines;
  if (arguments.has("pipeline")) {
    pipelines.push_back(TRY(context.get(pipeline_path(arguments))));
  } else {
    pipelines = TRY(context.list("/api/v1/pipelines", "pipelines", kPipelinesListedMax));
  }
  if (!context.json()) {
    print_triggers(pipelines);
    return kExitOk;
  }
  Json::Array triggers;
  for (const Json& pipeline : pipelines) {
    for (Json trigger : pipeline["triggers"].array()) triggers.push_back(trigger.set("pipeline", pipeline["name"]));
  }
  print_json(Json(Json::Object{}).set("triggers", std::move(triggers)));
  return kExitOk;
}

Result<int> list_pipelines(Context& context, const Arguments&) {
  const Json::Array pipelines = TRY(context.list("/api/v1/pipelines", "pipelines", kPipelinesListedMax));
  if (context.json()) {
    print_json(Json(Json::Object{}).set("pipelines", pipelines));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& pipeline : pipelines) {
    std::vector<std::string> triggers;
    for (const Json& trigger : pipeline["triggers"].array()) triggers.push_back(trigger["name"].string());
    const Json& last = pipeline["last_run"];
    const char* enabled = pipeline["enabled"].boolean().value_or(false)  ? "yes"
                          : pipeline["stored"].boolean().value_or(false) ? "no"
                                                                         : "not stored";
    rows.push_back({pipeline["name"].string(), enabled, join(triggers, ", "), pipeline["run_count"].render(),
                    last["state"].string(), render_ago(last["created_at"])});
  }
  print_table({"PIPELINE", "ENABLED", "TRIGGERS", "RUNS", "LAST", "WHEN"}, rows);
  return kExitOk;
}

Result<int> list_runs(Context& context, const Arguments& arguments) {
  const std::string filter =
      arguments.has("pipeline") ? "?pipeline=" + http::url_encode(arguments.get("pipeline")) : "";
  const Json::Array runs = TRY(context.list("/api/v1/pipeline_runs" + filter, "pipeline_runs", kRunsListedMax));
  if (context.json()) {
    print_json(Json(Json::Object{}).set("pipeline_runs", runs));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : runs)
    rows.push_back({run["id"].string(), run["pipeline"].string(), run["state"].string(), run["member"].string(),
                    run["reason"].string(), render_ago(run["created_at"])});
  print_table({"ID", "PIPELINE", "STATE", "MEMBER", "REASON", "WHEN"}, rows);
  return kExitOk;
}

Result<int> show_run(Context& context, const Arguments& arguments) {
  const Json run = TRY(context.get(TRY(run_path(context, arguments))));
  if (context.json()) {
    print_json(run);
    return kExitOk;
  }
  print_fields({{"pipeline", run["pipeline"].string()},
                {"state", run["state"].string()},
                {"member", run["member"].string()},
                {"reason", run["reason"].string()},
                {"page", context.settings().url + "/pipelines/" + run["id"].string()}});
  std::puts("");
  std::vector<std::vector<std::string>> rows;
  for (const Json& node : run["nodes"].array())
    rows.push_back({node["name"].string(), node["kind"].string(), node["state"].string(), node["cache"].string(),
                    node["why"].string(), node["message"].string()});
  print_table({"NODE", "KIND", "STATE", "CACHE", "WHY", "MESSAGE"}, rows);
  return kExitOk;
}

Result<int> stop_run(Context& context, const Arguments& arguments) {
  const Json run = TRY(context.post(TRY(run_path(context, arguments)) + "/stop", Json(Json::Object{})));
  if (context.json()) print_json(run);
  if (!context.json()) std::printf("%s is %s\n", run["id"].string().c_str(), run["state"].string().c_str());
  return kExitOk;
}

}  // namespace

void add_pipelines(Commands& commands) {
  const Positional id{.name = "id", .help = "as `slipway pipelines runs` shows it, or latest"};
  const Positional pipeline{.name = "pipeline", .help = "its name in slipway.yaml"};
  const Positional any_pipeline{.name = "pipeline", .help = "only of this one", .required = false};
  const Positional parameters{
      .name = "parameter", .help = "node.name=value, over the file's", .required = false, .repeatable = true};
  const Option file{.name = "file", .letter = 'f', .value_name = "PATH", .help = "the project file"};
  const Option detach{.name = "detach", .letter = 'd', .help = "print the id and do not wait for the end"};
  commands.push_back(
      {.path = "pipelines run",
       .summary = "Run a pipeline of slipway.yaml on the working copy",
       .details = "With --stored, what `slipway pipelines enable` stored is run; no working copy is needed.",
       .example = "slipway pipelines run refresh train.lr=0.1",
       .positionals = {pipeline, parameters},
       .options = {file, {.name = "stored", .help = "run what the server has"}, detach},
       .run = run_pipeline});
  commands.push_back(
      {.path = "pipelines rerun",
       .summary = "Run one again: same file, same code, same parameters",
       .details =
           "From the start, every node is asked anew and may be answered from the cache. From what failed, finished nodes keep what they made.",
       .example = "slipway pipelines rerun 01JC4ZT0M4W2V1E8Q7X9K3N5PB --from failed",
       .positionals = {id, parameters},
       .options = {{.name = "from", .value_name = "WHERE", .help = "start or failed", .otherwise = "start"}, detach},
       .run = rerun_pipeline});
  commands.push_back(
      {.path = "pipelines enable",
       .summary = "Store a pipeline with its code, and let its triggers start it",
       .details =
           "What happens from now on counts. Again after a change: stores the new version; triggers go on from where they were.",
       .example = "slipway pipelines enable refresh",
       .positionals = {pipeline},
       .options = {file},
       .run = enable});
  commands.push_back({.path = "pipelines disable",
                      .summary = "No trigger starts it any more",
                      .details = "",
                      .example = "slipway pipelines disable refresh",
                      .positionals = {pipeline},
                      .options = {},
                      .run = disable});
  commands.push_back({.path = "pipelines list",
                      .summary = "Pipelines that are stored or ran, and what starts them",
                      .details = "",
                      .example = "slipway pipelines list",
                      .positionals = {},
                      .options = {},
                      .run = list_pipelines});
  commands.push_back({.path = "pipelines triggers",
                      .summary = "What each trigger waits for, and what it did last",
                      .details = "",
                      .example = "slipway pipelines triggers refresh",
                      .positionals = {any_pipeline},
                      .options = {},
                      .run = list_triggers});
  commands.push_back({.path = "pipelines runs",
                      .summary = "Runs of pipelines, newest first",
                      .details = "",
                      .example = "slipway pipelines runs refresh",
                      .positionals = {any_pipeline},
                      .options = {},
                      .run = list_runs});
  commands.push_back({.path = "pipelines show",
                      .summary = "The nodes of a run, and why each ran",
                      .details = "",
                      .example = "slipway pipelines show 01JC4ZT0M4W2V1E8Q7X9K3N5PB",
                      .positionals = {id},
                      .options = {},
                      .run = show_run});
  commands.push_back({.path = "pipelines stop",
                      .summary = "End what runs, start nothing more",
                      .details = "",
                      .example = "slipway pipelines stop 01JC4ZT0M4W2V1E8Q7X9K3N5PB",
                      .positionals = {id},
                      .options = {},
                      .run = stop_run});
}

}  // namespace slipway::cli

// slipway pipelines: run a pipeline of slipway.yaml, and look at those that ran.
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

bool is_over(const Json& run) { return run["state"].string() != "running" && run["state"].string() != "stopping"; }

std::string told(const Json& node) {
  std::string text = node["state"].string();
  if (node["cache"].string() == "hit") text += " (from the cache)";
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
      if (!context.json() && seen[node["name"].string()] != text && node["state"].string() != "waiting") std::fprintf(stderr, "%-12s %s\n", node["name"].string().c_str(), text.c_str());
      seen[node["name"].string()] = text;
    }
    if (is_over(run)) return run;
    std::this_thread::sleep_for(kPollInterval);
    run = TRY(context.get(path));
  }
}

Result<int> run_pipeline(Context& outer, const Arguments& arguments) {
  const std::filesystem::path path = TRY(find_project_file(arguments.get("file")));
  const std::string text = TRY(read_file(path, kProjectFileBytesMax));
  const ProjectFile file = TRY(parse_project_file(text, path.filename().string()));
  Context::Settings settings = outer.settings();
  if (settings.project == "default") settings.project = file.project;
  Context context(settings);
  const SentSnapshot sent = TRY(send_snapshot(context, path.parent_path(), ""));
  // The runs of its steps say which commit and diff they were made of.
  TRY(context.post("/api/v1/snapshots", Json(Json::Object{}).set("tree", sent.tree).set("manifest", sent.manifest)));
  Json body{Json::Object{}};
  body.set("pipeline", arguments.get("pipeline")).set("project_file", text).set("snapshot", sent.tree);
  Json run = TRY(context.post("/api/v1/pipeline_runs", body));
  if (!context.json()) std::fprintf(stderr, "pipeline     %s/pipelines/%s\n", settings.url.c_str(), run["id"].string().c_str());
  if (!arguments.has("detach")) run = TRY(follow(context, std::move(run)));
  if (context.json()) print_json(run);
  if (arguments.has("detach")) return kExitOk;
  if (!context.json()) std::fprintf(stderr, "%s\n", run["state"].string().c_str());
  return run["state"].string() == "finished" ? kExitOk : kExitFailed;
}

Result<int> list_runs(Context& context, const Arguments&) {
  const Json::Array runs = TRY(context.list("/api/v1/pipeline_runs", "pipeline_runs", 200));
  if (context.json()) {
    print_json(Json(Json::Object{}).set("pipeline_runs", runs));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : runs) rows.push_back({run["id"].string(), run["pipeline"].string(), run["state"].string(), run["member"].string(), run["reason"].string(), render_ago(run["created_at"])});
  print_table({"ID", "PIPELINE", "STATE", "MEMBER", "REASON", "WHEN"}, rows);
  return kExitOk;
}

Result<int> show_run(Context& context, const Arguments& arguments) {
  const Json run = TRY(context.get("/api/v1/pipeline_runs/" + http::url_encode(arguments.get("id"))));
  if (context.json()) {
    print_json(run);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& node : run["nodes"].array()) rows.push_back({node["name"].string(), node["kind"].string(), node["state"].string(), node["cache"].string(), node["why"].string(), node["message"].string()});
  print_table({"NODE", "KIND", "STATE", "CACHE", "WHY", "MESSAGE"}, rows);
  return kExitOk;
}

Result<int> stop_run(Context& context, const Arguments& arguments) {
  const Json run = TRY(context.post("/api/v1/pipeline_runs/" + http::url_encode(arguments.get("id")) + "/stop", Json(Json::Object{})));
  if (context.json()) print_json(run);
  return kExitOk;
}

}  // namespace

void add_pipelines(Commands& commands) {
  const Positional id{.name = "id", .help = "As `slipway pipelines list` shows it"};
  commands.push_back({.path = "pipelines run", .summary = "Run a pipeline of slipway.yaml on the working copy", .details = "", .example = "slipway pipelines run refresh",
                      .positionals = {{.name = "pipeline", .help = "Its name in slipway.yaml"}},
                      .options = {{.name = "file", .value_name = "FILE", .help = "Another slipway.yaml"}, {.name = "detach", .help = "Do not wait for its end"}}, .run = run_pipeline});
  commands.push_back({.path = "pipelines list", .summary = "Pipelines that ran, newest first", .details = "", .example = "slipway pipelines list", .positionals = {}, .options = {}, .run = list_runs});
  commands.push_back({.path = "pipelines show", .summary = "The nodes of one, and why each ran", .details = "", .example = "slipway pipelines show 01JC4ZT0M4W2V1E8Q7X9K3N5PB", .positionals = {id}, .options = {}, .run = show_run});
  commands.push_back({.path = "pipelines stop", .summary = "End what runs, start nothing more", .details = "", .example = "slipway pipelines stop 01JC4ZT0M4W2V1E8Q7X9K3N5PB", .positionals = {id}, .options = {}, .run = stop_run});
}

}  // namespace slipway::cli

// slipway runs, logs, stop, rerun, diff.
#include <cstdio>

#include "base/text.h"
#include "cli.h"
#include "follow.h"

namespace slipway::cli {
namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? value.string() : value.is_null() ? "-" : value.render();
}

std::string run_path(const std::string& run) { return "/api/v1/runs/" + http::url_encode(run); }

/// "lr=0.1 epochs=2", as much as fits a table's cell.
std::string pairs(const Json& object, size_t most) {
  std::string out;
  size_t shown = 0;
  for (const auto& [key, value] : object.object()) {
    if (shown++ == most) return out + " …";
    out += (out.empty() ? "" : " ") + key + "=" + text_of(value.is_object() ? value["last"] : value);
  }
  return out;
}

Result<int> run_list(Context& context, const Arguments& arguments) {
  std::string path = "/api/v1/runs?columns=*";
  if (arguments.has("order-by")) path += "&order_by=" + http::url_encode(arguments.get("order-by"));
  if (arguments.has("filter")) path += "&filter=" + http::url_encode(arguments.get("filter"));
  if (arguments.has("experiment")) {
    const Json all = TRY(context.get("/api/v1/experiments?page_size=1000"));
    std::string id = arguments.get("experiment");
    for (const Json& each : all["experiments"].array()) {
      if (each["name"].string() == arguments.get("experiment")) id = each["id"].string();
    }
    path += "&experiment=" + http::url_encode(id);
  }
  const Json::Array runs =
      TRY(context.list(path, "runs", static_cast<size_t>(std::max<std::int64_t>(1, TRY(arguments.integer("limit"))))));
  if (context.json()) {
    print_json(Json().set("runs", runs));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : runs) {
    const auto duration = run["duration_s"].number();
    rows.push_back({run["id"].string(), run["name"].string(), run["experiment_name"].string(), run["state"].string(),
                    render_ago(run["started_at"]), duration ? render_duration_s(*duration) : "-",
                    pairs(run["parameters"], 3)});
  }
  print_table({"id", "name", "experiment", "state", "started", "took", "parameters"}, rows);
  return kExitOk;
}

Result<int> run_show(Context& context, const Arguments& arguments) {
  const std::string path = run_path(TRY(find_run(context, arguments.get("run"))));
  const Json run = TRY(context.get(path));
  if (context.json()) {
    print_json(run);
    return kExitOk;
  }
  const Json& source = run["source"];
  std::vector<std::pair<std::string, std::string>> fields = {
      {"id", run["id"].string()},
      {"name", run["name"].string()},
      {"experiment", run["experiment_name"].string()},
      {"state", run["state"].string()},
      {"member", text_of(run["member"])},
      {"started", render_ago(run["started_at"])},
      {"page", context.settings().url + "/runs/" + run["id"].string()}};
  if (const auto took = run["duration_s"].number()) fields.emplace_back("took", render_duration_s(*took));
  if (!source["step"].string().empty()) fields.emplace_back("step", source["step"].string());
  if (!source["command"].string().empty()) fields.emplace_back("command", source["command"].string());
  if (!source["commit"].string().empty()) {
    fields.emplace_back("commit", source["commit"].string() +
                                      (source["dirty"].boolean().value_or(false) ? ", with uncommitted changes" : ""));
  }
  if (!run["message"].string().empty()) fields.emplace_back("message", run["message"].string());
  fields.emplace_back("parameters", pairs(run["parameters"], 100));
  print_fields(fields);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, metric] : run["metrics"].object()) {
    rows.push_back({key, text_of(metric["last"]), text_of(metric["step"]), text_of(metric["min"]),
                    text_of(metric["max"]), text_of(metric["count"])});
  }
  if (!rows.empty()) {
    std::puts("");
    print_table({"metric", "last", "step", "min", "max", "points"}, rows);
  }
  return kExitOk;
}

Result<int> run_logs(Context& context, const Arguments& arguments) {
  const std::string run = TRY(find_run(context, arguments.get("run")));
  FollowOptions options;
  options.wait = arguments.has("follow");
  if (arguments.has("tail")) options.offset = -static_cast<std::int64_t>(TRY(parse_bytes(arguments.get("tail"))));
  std::string text;
  if (context.json()) {
    options.take = [&](std::string_view bytes) -> Result<void> {
      text += bytes;
      return {};
    };
  }
  const int code = TRY(follow_run(context, run, options));
  if (context.json()) print_json(Json().set("run_id", run).set("text", clean_utf8(text)));
  return options.wait ? code : kExitOk;
}

Result<int> run_stop(Context& context, const Arguments& arguments) {
  const std::string run = TRY(find_run(context, arguments.get("run")));
  Json body{Json::Object{}};
  if (arguments.has("grace")) body.set("grace_s", TRY(arguments.number("grace")));
  const Json stopped = TRY(context.post(run_path(run) + "/stop", body));
  if (context.json()) {
    print_json(stopped);
  } else {
    std::printf("%s is %s\n", stopped["name"].string().c_str(), stopped["state"].string().c_str());
  }
  return kExitOk;
}

Result<int> run_rerun(Context& context, const Arguments& arguments) {
  const std::string run = TRY(find_run(context, arguments.get("run")));
  Json parameters{Json::Object{}};
  for (const std::string& word : arguments.all("parameter")) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos)
      return Error{ErrorCode::invalid_argument, "'" + word + "' is no parameter; expected name=value"};
    parameters.set(word.substr(0, equals), word.substr(equals + 1));
  }
  const Json again = TRY(context.post(run_path(run) + "/rerun", Json().set("parameters", parameters)));
  if (!arguments.has("detach")) return watch_run(context, again);
  if (context.json()) {
    print_json(again);
  } else {
    tell_run(context, again);
    std::puts(again["id"].string().c_str());
  }
  return kExitOk;
}

void print_differences(const char* title, const Json& items, const char* key) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& item : items.array())
    rows.push_back({text_of(item[key]), text_of(item["left"]), text_of(item["right"])});
  if (rows.empty()) return;
  std::puts("");
  print_table({title, "left", "right"}, rows);
}

Result<int> run_diff(Context& context, const Arguments& arguments) {
  const std::string left = TRY(find_run(context, arguments.get("left"))),
                    right = TRY(find_run(context, arguments.get("right")));
  const Json diff = TRY(context.get(run_path(left) + "/diff/" + http::url_encode(right)));
  if (context.json()) {
    print_json(diff);
    return kExitOk;
  }
  print_differences("parameter", diff["parameters"], "key");
  print_differences("metric", diff["metrics"], "key");
  print_differences("input", diff["inputs"], "name");
  print_differences("package", diff["environment"], "name");
  const Json& code = diff["code"];
  std::printf("\ncommit     %s | %s\n", text_of(code["left_commit"]).c_str(), text_of(code["right_commit"]).c_str());
  // The uncommitted changes of both, where the runs were made from snapshots.
  const auto left_code = context.get(run_path(left) + "/snapshot"),
             right_code = context.get(run_path(right) + "/snapshot");
  if (left_code.ok() && right_code.ok()) {
    const bool same = (*left_code)["tree"] == (*right_code)["tree"];
    std::printf("code       %s\n", same ? "the same, file by file" : "differs");
    std::map<std::string, std::string> before;
    for (const Json& file : (*left_code)["files"].array()) before[file["path"].string()] = file["hash"].string();
    for (const Json& file : (*right_code)["files"].array()) {
      const auto at = before.find(file["path"].string());
      if (at == before.end())
        std::printf("  added    %s\n", file["path"].string().c_str());
      else if (at->second != file["hash"].string())
        std::printf("  changed  %s\n", file["path"].string().c_str());
      if (at != before.end()) before.erase(at);
    }
    for (const auto& [path, hash] : before) std::printf("  removed  %s\n", path.c_str());
  }
  return kExitOk;
}

const Positional kRun{.name = "run", .help = "a run's id, or `latest`, or `latest~1` for the one before"};

}  // namespace

void add_runs(Commands& commands) {
  commands.push_back(
      {.path = "runs list",
       .summary = "Runs, newest first",
       .details = "",
       .example = "slipway runs list --filter \"metrics.val_acc > 0.9\"",
       .positionals = {},
       .options =
           {{.name = "filter",
             .letter = 'f',
             .value_name = "QUERY",
             .help = "as in metrics.loss < 0.1 and params.lr = '0.01'",
             .otherwise = ""},
            {.name = "experiment", .letter = 'e', .value_name = "NAME", .help = "only this one's", .otherwise = ""},
            {.name = "order-by", .letter = 0, .value_name = "KEY", .help = "metrics.val_acc desc", .otherwise = ""},
            {.name = "limit", .letter = 'n', .value_name = "N", .help = "how many at most", .otherwise = "50"}},
       .run = run_list});
  commands.push_back({.path = "runs show",
                      .summary = "One run: where it stands, its parameters and metrics",
                      .details = "",
                      .example = "slipway runs show latest",
                      .positionals = {kRun},
                      .options = {},
                      .run = run_show});
  commands.push_back(
      {.path = "logs",
       .summary = "A run's log",
       .details = "Bytes as the command wrote them. With -f it exits with the command's own exit code.",
       .example = "slipway logs -f latest",
       .positionals = {kRun},
       .options =
           {{.name = "follow", .letter = 'f', .value_name = "", .help = "until the run is over", .otherwise = ""},
            {.name = "tail",
             .letter = 0,
             .value_name = "SIZE",
             .help = "only the last bytes, such as 4KiB",
             .otherwise = ""}},
       .run = run_logs});
  commands.push_back({.path = "stop",
                      .summary = "End a run: SIGTERM, its grace period, then SIGKILL",
                      .details = "",
                      .example = "slipway stop latest",
                      .positionals = {kRun},
                      .options = {{.name = "grace",
                                   .letter = 0,
                                   .value_name = "SECONDS",
                                   .help = "in place of the step's own",
                                   .otherwise = ""}},
                      .run = run_stop});
  commands.push_back(
      {.path = "rerun",
       .summary = "The same run again: same code, same inputs, other parameters if you say so",
       .details = "",
       .example = "slipway rerun latest lr=0.02",
       .positionals = {kRun, {.name = "parameter", .help = "name=value", .required = false, .repeatable = true}},
       .options = {{.name = "detach",
                    .letter = 'd',
                    .value_name = "",
                    .help = "print the run's id and do not wait",
                    .otherwise = ""}},
       .run = run_rerun});
  commands.push_back(
      {.path = "diff",
       .summary = "What differs between two runs: parameters, metrics, code, packages, inputs",
       .details = "",
       .example = "slipway diff latest~1 latest",
       .positionals = {{.name = "left", .help = "a run's id, or `latest~1`"}, {.name = "right", .help = "another's"}},
       .options = {},
       .run = run_diff});
}

}  // namespace slipway::cli

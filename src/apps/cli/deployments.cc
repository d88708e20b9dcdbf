// slipway deployments: what answers, how it does, and how to change it.
#include <cstdio>

#include "base/text.h"
#include "cli.h"

namespace slipway::cli {
namespace {

std::string path_of(const Arguments& arguments) {
  return "/api/v1/deployments/" + http::url_encode(arguments.get("name"));
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.string() : value.is_null() ? "-" : value.render();
}

std::string replicas_of(const Json& deployment) {
  const Json& replicas = deployment["replicas"];
  const std::string most = text_of(replicas["max"]);
  return text_of(replicas["ready"]) + " of " +
         (text_of(replicas["min"]) == most ? most : text_of(replicas["min"]) + " to " + most);
}

std::string milliseconds(const Json& value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ms", value.number().value_or(0));
  return value.number().value_or(0) > 0 ? text : "-";
}

Result<int> run_list(Context& context, const Arguments&) {
  const Json::Array deployments = TRY(context.list("/api/v1/deployments", "deployments", 1000));
  if (context.json()) {
    print_json(Json().set("deployments", deployments));
    return kExitOk;
  }
  if (deployments.empty()) {
    std::puts("Nothing is deployed. Make the first one: slipway deploy NAME --model model:NAME/1");
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : deployments) {
    rows.push_back({one["name"].string(), one["state"].string(), one["reference"].string(), text_of(one["version"]),
                    replicas_of(one), text_of(one["traffic"]["requests_total"]), milliseconds(one["traffic"]["p50_ms"]),
                    milliseconds(one["traffic"]["p99_ms"])});
  }
  print_table({"name", "state", "model", "version", "replicas", "requests", "p50", "p99"}, rows);
  return kExitOk;
}

void print_revisions(const Json& deployment) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : deployment["revisions"].array()) {
    rows.push_back(
        {text_of(one["number"]), one["model"].string() + "/" + text_of(one["version"]), one["state"].string(),
         render_ago(one["created_at"]),
         one["member"].is_null() ? one["reason"].string() : one["member"].string() + ": " + one["reason"].string()});
  }
  print_table({"revision", "version", "state", "when", "why"}, rows);
}

Result<int> run_show(Context& context, const Arguments& arguments) {
  const Json one = TRY(context.get(path_of(arguments)));
  if (context.json()) {
    print_json(one);
    return kExitOk;
  }
  const Json& traffic = one["traffic"];
  std::vector<std::pair<std::string, std::string>> fields = {
      {"name", one["name"].string()},
      {"state", one["state"].string() + (one["message"].string().empty() ? "" : ": " + one["message"].string())},
      {"model", one["reference"].string() + ", version " + text_of(one["version"])},
      {"endpoint", context.settings().url + one["endpoint"].string()},
      {"page", context.settings().url + "/deployments/" + http::url_encode(one["name"].string())},
      {"replicas",
       replicas_of(one) + ", " + render_bytes(static_cast<std::uint64_t>(one["memory_bytes"].integer().value_or(0)))},
      {"traffic", text_of(traffic["requests_total"]) + " requests, " + text_of(traffic["errors_total"]) +
                      " errors, p50 " + milliseconds(traffic["p50_ms"]) + ", p99 " + milliseconds(traffic["p99_ms"])},
      {"batch", "up to " + text_of(one["batch"]["max"]) + ", waiting " + milliseconds(one["batch"]["delay_ms"])},
  };
  print_fields(fields);
  std::puts("");
  print_revisions(one);
  return kExitOk;
}

Result<int> print_changed(Context& context, const Json& deployment, const char* sentence) {
  if (context.json())
    print_json(deployment);
  else
    std::printf("%s %s\n", deployment["name"].string().c_str(), sentence);
  return kExitOk;
}

Result<int> run_stop(Context& context, const Arguments& arguments) {
  return print_changed(context, TRY(context.patch(path_of(arguments), Json().set("state", "stopped"))),
                       "is stopping; requests in flight are still answered");
}

Result<int> run_start(Context& context, const Arguments& arguments) {
  return print_changed(context, TRY(context.patch(path_of(arguments), Json().set("state", "running"))), "is starting");
}

Result<int> run_restart(Context& context, const Arguments& arguments) {
  return print_changed(context, TRY(context.post(path_of(arguments) + "/restart", Json(Json::Object{}))),
                       "gets fresh workers; the old ones answer until those are ready");
}

Result<int> run_delete(Context& context, const Arguments& arguments) {
  TRY(context.del(path_of(arguments)));
  if (context.json())
    print_json(Json().set("removed", arguments.get("name")));
  else
    std::printf("%s is deleted; its answers can still be traced\n", arguments.get("name").c_str());
  return kExitOk;
}

Result<int> run_traffic(Context& context, const Arguments& arguments) {
  const std::int64_t minutes = TRY(arguments.integer("minutes"));
  const Json traffic = TRY(context.get(path_of(arguments) + "/traffic?minutes=" + std::to_string(minutes)));
  if (context.json()) {
    print_json(traffic);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& minute : traffic["minutes"].array()) {
    if (minute["requests"].integer().value_or(0) == 0) continue;
    char confidence[16] = "-";
    if (const auto mean = minute["confidence_mean"].number())
      std::snprintf(confidence, sizeof confidence, "%.3f", *mean);
    rows.push_back({minute["at"].string(), text_of(minute["requests"]), text_of(minute["errors"]),
                    milliseconds(minute["p50_ms"]), milliseconds(minute["p99_ms"]), confidence});
  }
  if (rows.empty())
    std::printf("No request in the last %lld minutes.\n", static_cast<long long>(minutes));
  else
    print_table({"minute", "requests", "errors", "p50", "p99", "confidence"}, rows);
  return kExitOk;
}

}  // namespace

void add_deployments(Commands& commands) {
  const Positional name{.name = "name", .help = "of the deployment"};
  const Option minutes{.name = "minutes", .value_name = "N", .help = "how far back, at most 1440", .otherwise = "60"};
  commands.push_back({.path = "deployments list",
                      .summary = "What answers, with state, version and traffic",
                      .details = "",
                      .example = "slipway deployments list",
                      .positionals = {},
                      .options = {},
                      .run = run_list});
  commands.push_back({.path = "deployments show",
                      .summary = "One deployment: state, workers, traffic, revisions",
                      .details = "",
                      .example = "slipway deployments show digits",
                      .positionals = {name},
                      .options = {},
                      .run = run_show});
  commands.push_back({.path = "deployments traffic",
                      .summary = "Requests minute by minute",
                      .details = "",
                      .example = "slipway deployments traffic digits --minutes 15",
                      .positionals = {name},
                      .options = {minutes},
                      .run = run_traffic});
  commands.push_back({.path = "deployments stop",
                      .summary = "End the workers and keep the deployment",
                      .details = "",
                      .example = "slipway deployments stop digits",
                      .positionals = {name},
                      .options = {},
                      .run = run_stop});
  commands.push_back({.path = "deployments start",
                      .summary = "Start a stopped deployment",
                      .details = "",
                      .example = "slipway deployments start digits",
                      .positionals = {name},
                      .options = {},
                      .run = run_start});
  commands.push_back({.path = "deployments restart",
                      .summary = "Fresh workers without a gap; also tries a failed version again",
                      .details = "",
                      .example = "slipway deployments restart digits",
                      .positionals = {name},
                      .options = {},
                      .run = run_restart});
  commands.push_back({.path = "deployments delete",
                      .summary = "Remove a deployment; its name is free at once",
                      .details = "",
                      .example = "slipway deployments delete digits",
                      .positionals = {name},
                      .options = {},
                      .run = run_delete});
}

}  // namespace slipway::cli

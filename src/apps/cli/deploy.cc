// slipway deploy: puts a model behind an endpoint, or changes what is there, and waits until it answers.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "domain/project_file.h"
#include "domain/units.h"

namespace slipway::cli {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(150);
constexpr std::string_view kAlias = "production";

/// What slipway.yaml in the current folder declares under this name; null without a file or a declaration.
Result<Json> declared(const std::string& name) {
  const std::filesystem::path file(kProjectFileName);
  if (!std::filesystem::exists(file)) return Json();
  const ProjectFile project =
      TRY(parse_project_file(TRY(read_file(file, kProjectFileBytesMax)), std::string(kProjectFileName)));
  const DeploymentDeclaration* found = find(project.deployments, name);
  if (!found) return Json();
  Json always{Json::Array{}};
  for (const std::string& kind : found->capture_always) always.push(kind);
  Json spec;
  spec.set("model", render(found->model))
      .set("replicas", Json().set("min", found->replicas_min).set("max", found->replicas_max));
  spec.set("batch",
           Json().set("max", found->batch_max).set("delay_ms", static_cast<double>(found->batch_delay.count()) / 1000));
  spec.set(
      "capture",
      Json().set("sample", found->capture_sample).set("always", always).set("low_confidence", found->low_confidence));
  return spec;
}

/// "2" or "1:4".
Result<Json> replicas_of(const std::string& text) {
  const auto parts = split(text, ':');
  const auto min = parse_i64(parts[0]), max = parse_i64(parts.back());
  if (parts.size() > 2 || !min || !max)
    return Error{ErrorCode::invalid_argument, "--replicas takes a number or MIN:MAX; found '" + text + "'"};
  return Json().set("min", *min).set("max", *max);
}

Result<Json> specification(const Arguments& arguments) {
  Json spec = TRY(declared(arguments.get("name")));
  if (spec.is_null()) spec = Json(Json::Object{});
  if (arguments.has("model")) spec.set("model", arguments.get("model"));
  if (arguments.has("replicas")) spec.set("replicas", TRY(replicas_of(arguments.get("replicas"))));
  if (arguments.has("batch-max") || arguments.has("batch-delay")) {
    Json batch = spec["batch"];
    if (arguments.has("batch-max")) batch.set("max", TRY(arguments.integer("batch-max")));
    if (arguments.has("batch-delay"))
      batch.set("delay_ms", static_cast<double>(TRY(parse_duration(arguments.get("batch-delay"))).count()) / 1000);
    spec.set("batch", batch);
  }
  if (arguments.has("sample")) {
    Json capture = spec["capture"];
    spec.set("capture", capture.set("sample", TRY(parse_fraction(arguments.get("sample")))));
  }
  if (spec["model"].is_null()) spec.set("model", "model:" + arguments.get("name") + "@" + std::string(kAlias));
  return spec;
}

Result<void> point_alias(Context& context, const Reference& model, std::int64_t version) {
  const std::string path = "/api/v1/models/" + http::url_encode(model.name) + "/aliases/" + http::url_encode(model.at);
  TRY(context.put(path, Json().set("version", version)));
  std::fprintf(stderr, "model %s: %s is version %lld now\n", model.name.c_str(), model.at.c_str(),
               static_cast<long long>(version));
  return {};
}

/// --version moves the alias first. An alias that nobody has set yet gets the newest version: there is only one thing
/// that "deploy digits" can mean the first time.
Result<void> prepare_alias(Context& context, const Arguments& arguments, const Json& spec) {
  const Reference model = TRY(parse_reference(spec["model"].string()));
  if (arguments.has("version")) {
    if (model.at.empty())
      return Error{ErrorCode::invalid_argument,
                   "--version moves an alias, and " + render(model) + " is a version already"};
    return point_alias(context, model, TRY(arguments.integer("version")));
  }
  if (model.at != kAlias) return {};
  const Json found = TRY(context.get("/api/v1/models/" + http::url_encode(model.name)));
  if (!found["aliases"][model.at].is_null()) return {};
  const auto latest = found["latest_version"].integer();
  if (!latest || *latest < 1)
    return Error{ErrorCode::not_found,
                 "model '" + model.name + "' has no version yet; register one, for example as the output of a run"};
  return point_alias(context, model, *latest);
}

Result<Json> create_or_update(Context& context, const std::string& name, Json spec) {
  Json body = spec;
  body.set("name", name);
  auto made = context.post("/api/v1/deployments", body);
  if (made.ok() || made.error().code != ErrorCode::already_exists) return made;
  return context.patch("/api/v1/deployments/" + http::url_encode(name), spec.set("state", "running"));
}

Result<Json> wait_until_it_answers(Context& context, Json deployment, std::int64_t seconds_max) {
  const std::string path = "/api/v1/deployments/" + http::url_encode(deployment["name"].string());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds_max);
  std::string shown;
  for (;;) {
    const std::string state = deployment["state"].string(), message = deployment["message"].string();
    if (state == "ready") return deployment;
    if (state == "failed" || (state == "degraded" && !message.empty())) return Error{ErrorCode::cancelled, message};
    if (state != shown && context.stderr_is_terminal()) std::fprintf(stderr, "%s …\n", state.c_str());
    shown = state;
    if (std::chrono::steady_clock::now() > end)
      return Error{ErrorCode::timed_out, "the deployment is still " + state + " after " + std::to_string(seconds_max) +
                                             " s; look at it with `slipway deployments show " +
                                             deployment["name"].string() + "`"};
    std::this_thread::sleep_for(kPollInterval);
    deployment = TRY(context.get(path));
  }
}

Result<int> run_deploy(Context& context, const Arguments& arguments) {
  const Json spec = TRY(specification(arguments));
  TRY(prepare_alias(context, arguments, spec));
  Json deployment = TRY(create_or_update(context, arguments.get("name"), spec));
  if (!arguments.has("no-wait"))
    deployment = TRY(wait_until_it_answers(context, deployment, TRY(arguments.integer("timeout"))));
  if (context.json()) {
    print_json(deployment);
    return kExitOk;
  }
  const std::string url = context.settings().url, name = deployment["name"].string();
  const std::string version = deployment["version"].is_null() ? "" : " with version " + deployment["version"].render();
  std::printf("%s is %s%s\n\n", name.c_str(), deployment["state"].string().c_str(), version.c_str());
  print_fields({{"endpoint", url + deployment["endpoint"].string() + "/infer"},
                {"page", url + "/deployments/" + http::url_encode(name)},
                {"try it", url + "/deployments/" + http::url_encode(name) + "/try"}});
  return kExitOk;
}

}  // namespace

void add_deploy(Commands& commands) {
  commands.push_back(
      {.path = "deploy",
       .summary = "Put a model behind an endpoint and wait until it answers",
       .details =
           "What slipway.yaml declares under `deployments:` is the start; options come on top. Without either, the model of the\n"
           "same name at its alias production is deployed. An existing deployment is changed; its old version answers until\n"
           "the new one is ready.",
       .example =
           "slipway deploy digits\n  slipway deploy digits --version 2\n  slipway deploy digits --model model:digits@staging --replicas 1:4 --batch-max 8 --batch-delay 2ms",
       .positionals = {{.name = "name", .help = "of the deployment, and of its endpoint /v2/models/NAME"}},
       .options =
           {{.name = "model", .letter = 'm', .value_name = "MODEL", .help = "model:NAME@ALIAS or model:NAME/VERSION"},
            {.name = "version", .value_name = "N", .help = "point the alias at this version first"},
            {.name = "replicas", .value_name = "N|MIN:MAX", .help = "how many workers"},
            {.name = "batch-max", .value_name = "N", .help = "requests that may become one run"},
            {.name = "batch-delay", .value_name = "DURATION", .help = "how long the first may wait for others"},
            {.name = "sample", .value_name = "FRACTION", .help = "share of requests that is kept as cases"},
            {.name = "no-wait", .help = "do not wait until it answers"},
            {.name = "timeout", .value_name = "SECONDS", .help = "how long to wait", .otherwise = "300"}},
       .run = run_deploy});
}

}  // namespace slipway::cli

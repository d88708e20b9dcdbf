// slipway import: what other trackers have, carried into the server.
#include "imports/imports.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "cli.h"
#include "interrupt.h"

namespace slipway::cli {
namespace {

bool is_url(const std::string& text) { return text.starts_with("http://") || text.starts_with("https://"); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// As MLflow's own clients are told.
imports::Credentials mlflow_credentials() {
  return {environment("MLFLOW_TRACKING_USERNAME"), environment("MLFLOW_TRACKING_PASSWORD"),
          environment("MLFLOW_TRACKING_TOKEN")};
}

Result<imports::CarryOptions> options_of(Context& context, const Arguments& arguments) {
  imports::CarryOptions options;
  options.place = {context.settings().url, context.settings().token, context.settings().project,
                   arguments.has("dry-run")};
  options.experiments = arguments.all("experiment");
  options.files = !arguments.has("no-files");
  options.models = !arguments.has("no-models");
  options.deleted = arguments.has("deleted");
  options.again = arguments.has("again");
  const std::int64_t jobs = TRY(arguments.integer("jobs"));
  if (jobs < 1 || jobs > imports::kWorkersMax)
    return Error{ErrorCode::invalid_argument,
                 "--jobs takes 1 to " + std::to_string(imports::kWorkersMax) + ", not " + std::to_string(jobs)};
  options.workers = static_cast<int>(jobs);
  options.stop = &Interrupt::came();
  return options;
}

Result<imports::Report> carry_with_progress(Context& context, imports::Source& source, imports::CarryOptions options) {
  const Interrupt interrupt;
  std::atomic<std::uint64_t> done{0};
  std::mutex drawing;
  Progress progress(context, "runs", 0, false);
  options.on_progress = [&](std::uint64_t runs) {
    const std::lock_guard lock(drawing);
    if (runs > done) progress.set(done = runs);
  };
  return imports::carry(source, options);
}

Result<int> import_from(Context& context, const Arguments& arguments, imports::Source& source) {
  const auto options = TRY(options_of(context, arguments));
  const auto report = carry_with_progress(context, source, options);
  if (!report.ok()) {
    if (Interrupt::came()) {
      std::fputs("slipway: stopped; the same command goes on where it was\n", stderr);
      return kExitInterrupted;
    }
    return Error{report.error().code, report.error().message + " (what was carried stays; the same command goes on)"};
  }
  if (context.json()) {
    print_json(imports::report_json(*report, options.place.dry));
  } else {
    std::fputs(imports::render(*report, options.place.dry).c_str(), stdout);
  }
  return report->problems.empty() ? kExitOk : kExitFailed;
}

Result<int> import_mlflow(Context& context, const Arguments& arguments) {
  const std::string& from = arguments.get("from");
  if (from.find("://") != std::string::npos && !is_url(from))
    return Error{ErrorCode::invalid_argument,
                 "'" + from +
                     "' is neither the URL of a server nor a folder; for a database, start `mlflow server "
                     "--backend-store-uri " +
                     from + "` and import its address"};
  std::unique_ptr<imports::Source> source;
  if (is_url(from)) {
    source = TRY(imports::open_mlflow_server(from, mlflow_credentials()));
  } else {
    source = TRY(imports::open_mlflow_folder(from));
  }
  return import_from(context, arguments, *source);
}

const std::vector<Option> kOptions = {
    {.name = "dry-run", .help = "only say what would be carried"},
    {.name = "experiment",
     .letter = 'e',
     .value_name = "NAME",
     .help = "only this one, without registered models; may be repeated",
     .repeatable = true},
    {.name = "no-files", .help = "leave artifacts where they are"},
    {.name = "no-models", .help = "leave logged and registered models out"},
    {.name = "deleted", .help = "deleted runs, too"},
    {.name = "again", .help = "look at every point and file of every run, also of those that are here"},
    {.name = "jobs", .letter = 'j', .value_name = "N", .help = "runs at a time", .otherwise = "4"}};

}  // namespace

void add_import(Commands& commands) {
  commands.push_back(
      {.path = "import mlflow",
       .summary = "Carry an MLflow server, or its mlruns folder, into this server",
       .details =
           "Experiments, runs with their ids, histories, artifacts, logged models, registered models with versions "
           "and aliases. The same command again carries only what is new; one that broke off goes on. Credentials: "
           "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. See docs/imports.md.",
       .example = "slipway import mlflow ./mlruns",
       .positionals = {{.name = "from", .help = "the server's URL, as in http://mlflow.example:5000, or a folder"}},
       .options = kOptions,
       .run = import_mlflow});
}

}  // namespace slipway::cli

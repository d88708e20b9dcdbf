// slipway export: what this server has, pushed into another tracker.
#include <cstdlib>

#include "cli.h"
#include "interrupt.h"
#include "runs_export_mlflow.h"

namespace slipway::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Result<imports::PushOptions> options_of(const Arguments& arguments) {
  imports::PushOptions options;
  options.url = arguments.get("to");
  if (!options.url.starts_with("http://") && !options.url.starts_with("https://"))
    return Error{
        ErrorCode::invalid_argument,
        "'" + options.url +
            "' is no URL of an MLflow server; for a folder that MLflow reads, use `slipway runs export --format "
            "mlflow --to FOLDER`"};
  options.credentials = {environment("MLFLOW_TRACKING_USERNAME"), environment("MLFLOW_TRACKING_PASSWORD"),
                         environment("MLFLOW_TRACKING_TOKEN")};
  options.experiments = arguments.all("experiment");
  options.is_filtered = !export_filter(arguments).empty();
  options.files = !arguments.has("no-files");
  options.models = !arguments.has("no-models");
  options.deleted = arguments.has("deleted");
  options.again = arguments.has("again");
  options.stop = &Interrupt::came();
  return options;
}

Result<int> export_mlflow(Context& context, const Arguments& arguments) {
  auto options = TRY(options_of(arguments));
  return carry_out(context, arguments, "pushed", [&](imports::Source& source, OnProgress on_progress) {
    options.on_progress = std::move(on_progress);
    return imports::push_mlflow(source, options);
  });
}

}  // namespace

void add_export(Commands& commands) {
  commands.push_back(
      {.path = "export mlflow",
       .summary = "Push the project's runs and models into a running MLflow server",
       .details =
           "Experiments, runs with params, tags and histories, artifacts, logged models, registered models with versions "
           "and aliases. Runs get ids of its own there, and the tag slipway.export.run_id has ours. The same command "
           "again pushes only what is new; one that broke off goes on. Credentials of that server: in the URL, or "
           "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. See docs/exports.md.",
       .example = "slipway export mlflow --to http://mlflow.example:5000 --experiment digits",
       .positionals = {},
       .options = {{.name = "to", .value_name = "URL", .help = "of the MLflow server", .required = true},
                   {.name = "filter", .letter = 'f', .value_name = "QUERY", .help = "as in metrics.loss < 0.1"},
                   {.name = "experiment",
                    .letter = 'e',
                    .value_name = "NAME",
                    .help = "only this one, without registered models; may be repeated",
                    .repeatable = true},
                   {.name = "run", .value_name = "ID", .help = "only this one; may be repeated", .repeatable = true},
                   {.name = "no-files", .help = "leave artifacts out"},
                   {.name = "no-models", .help = "leave logged and registered models out"},
                   {.name = "deleted", .help = "deleted runs, too; they are deleted there"},
                   {.name = "again",
                    .help = "look at every point and file of every run, also of those that are there"}},
       .run = export_mlflow});
}

}  // namespace slipway::cli

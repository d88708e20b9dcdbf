// slipway import tensorboard, wandb and csv: runs from folders and files of other tools.
#include <chrono>
#include <cstdio>
#include <thread>

#include "cli.h"
#include "imports/csv.h"
#include "imports/tensorboard.h"
#include "imports/wandb.h"
#include "interrupt.h"

namespace slipway::cli {
namespace {

constexpr auto kFollowPause = std::chrono::seconds(1);

struct Target {
  imports::Destination destination;
  std::string experiment;
};

Result<Target> open_target(Context& context, const Arguments& arguments, const std::string& otherwise) {
  auto destination = TRY(imports::Destination::open(
      {context.settings().url, context.settings().token, context.settings().project, arguments.has("dry-run")}));
  const std::string name = arguments.get("experiment").empty() ? otherwise : arguments.get("experiment");
  std::string experiment = TRY(destination.experiment(name, {}));
  return Target{std::move(destination), std::move(experiment)};
}

int print_report(const Context& context, const imports::Report& report, bool dry) {
  if (context.json()) {
    print_json(imports::report_json(report, dry));
  } else {
    std::fputs(imports::render(report, dry).c_str(), stdout);
    if (dry) std::printf("%-15s %lld to carry\n", "metric points", static_cast<long long>(report.points));
  }
  return report.problems.empty() ? kExitOk : kExitFailed;
}

std::string base_name(const std::string& path) {
  const auto name = std::filesystem::weakly_canonical(path).filename().string();
  return name.empty() ? path : name;
}

Result<int> import_tensorboard(Context& context, const Arguments& arguments) {
  const std::string& folder = arguments.get("folder");
  auto target = TRY(open_target(context, arguments, base_name(folder)));
  imports::TensorBoardFolder source(folder);
  TRY(source.read(target.destination, target.experiment));
  if (arguments.has("follow")) {
    const Interrupt interrupt;
    while (!Interrupt::came()) {
      std::this_thread::sleep_for(kFollowPause);
      TRY(source.read(target.destination, target.experiment));
    }
  }
  TRY(source.finish(target.destination, target.experiment));
  return print_report(context, source.report(), arguments.has("dry-run"));
}

Result<int> import_csv(Context& context, const Arguments& arguments) {
  const std::filesystem::path file = arguments.get("file");
  const std::string name = arguments.get("name").empty() ? file.stem().string() : arguments.get("name");
  auto target = TRY(open_target(context, arguments, "Default"));
  const auto report = TRY(imports::carry_csv(file, name, target.destination, target.experiment));
  return print_report(context, report, arguments.has("dry-run"));
}

Result<int> import_wandb(Context& context, const Arguments& arguments) {
  auto destination = TRY(imports::Destination::open(
      {context.settings().url, context.settings().token, context.settings().project, arguments.has("dry-run")}));
  imports::WandbOptions options;
  options.experiment = arguments.get("experiment");
  options.files = !arguments.has("no-files");
  options.again = arguments.has("again");
  const auto report = TRY(imports::carry_wandb(arguments.get("folder"), destination, options));
  return print_report(context, report, arguments.has("dry-run"));
}

Option experiment_option(const char* otherwise) {
  return {.name = "experiment",
          .letter = 'e',
          .value_name = "NAME",
          .help = "where the runs go; it is made when there is none",
          .otherwise = otherwise};
}

}  // namespace

void add_import_series(Commands& commands) {
  commands.push_back(
      {.path = "import tensorboard",
       .summary = "Carry TensorBoard's event files into this server: each folder that holds some is a run",
       .details = "Scalars of both kinds. The same command again adds what is new. With --follow it goes on while "
                  "training writes, until Ctrl-C.",
       .example = "slipway import tensorboard ./logs --experiment digits",
       .positionals = {{.name = "folder", .help = "with event files in it or below"}},
       .options = {experiment_option(""),
                   {.name = "follow", .letter = 'f', .help = "go on while training writes"},
                   {.name = "dry-run", .help = "only say what would be carried"}},
       .run = import_tensorboard});
  commands.push_back(
      {.path = "import wandb",
       .summary = "Carry folders of W&B's client into this server, without asking W&B",
       .details =
           "Folders as the client leaves them in wandb/, offline or not: history, config, summary, load, console "
           "output and files. The same command again adds what is new; a run that was resumed is one run. See "
           "docs/imports.md.",
       .example = "slipway import wandb ./wandb",
       .positionals = {{.name = "folder", .help = "of one run, or what holds such folders"}},
       .options = {{.name = "experiment",
                    .letter = 'e',
                    .value_name = "NAME",
                    .help = "where the runs go; each run's own W&B project when absent"},
                   {.name = "no-files", .help = "leave files where they are"},
                   {.name = "again", .help = "look at every run, also those that are here and unchanged"},
                   {.name = "dry-run", .help = "only say what would be carried"}},
       .run = import_wandb});
  commands.push_back(
      {.path = "import csv",
       .summary = "Carry a table into this server: a row is a step, a column of numbers a metric",
       .details = "The first row names the columns. `step`, `time` and `run` have their meaning; without `step` rows "
                  "are counted.",
       .example = "slipway import csv history.csv --experiment digits --name old",
       .positionals = {{.name = "file", .help = "comma-separated values"}},
       .options = {experiment_option("Default"),
                   {.name = "name", .letter = 'n', .value_name = "NAME", .help = "of the run; the file's when absent"},
                   {.name = "dry-run", .help = "only say what would be carried"}},
       .run = import_csv});
}

}  // namespace slipway::cli

// slipway runs export --format mlflow: runs, their files and models as the folder that MLflow's clients read.
#include "runs_export_mlflow.h"

#include <cstdio>

#include "interrupt.h"

namespace slipway::cli {
namespace {

Result<imports::ExportOptions> options_of(const Context& context, const Arguments& arguments) {
  imports::ExportOptions options;
  options.origin = context.settings().url + ", project " + context.settings().project;
  options.folder = arguments.get("to");
  if (options.folder.empty())
    return Error{ErrorCode::invalid_argument, "an mlruns folder needs a name; give one with --to"};
  if (options.folder.string().find("://") != std::string::npos)
    return Error{ErrorCode::unsupported, "--format mlflow writes a folder; `slipway export mlflow --to " +
                                             options.folder.string() +
                                             "` pushes runs into a running MLflow server (docs/exports.md)"};
  for (const char* name : {"histories", "order-by", "columns"}) {
    if (arguments.has(name))
      return Error{ErrorCode::invalid_argument, std::string("--") + name + " is for tables, not for --format mlflow"};
  }
  options.experiments = arguments.all("experiment");
  options.is_filtered = !export_filter(arguments).empty();
  options.files = !arguments.has("no-files");
  options.models = !arguments.has("no-models");
  options.deleted = arguments.has("deleted");
  options.stop = &Interrupt::came();
  return options;
}

}  // namespace

Result<int> carry_out(Context& context, const Arguments& arguments, std::string_view done, const Carry& carry) {
  imports::ServerOptions server;
  server.headers = context.headers();
  server.filter = export_filter(arguments);
  server.is_slipway = true;
  const auto source =
      TRY(imports::open_mlflow_server(context.settings().url, {"", "", context.settings().token}, server));
  const auto report = [&] {
    const Interrupt interrupt;
    Progress progress(context, "runs", 0, false);
    return carry(*source, [&](std::uint64_t runs) { progress.set(runs); });
  }();
  if (!report.ok()) {
    if (Interrupt::came()) {
      std::fputs("slipway: stopped; the same command goes on where it was\n", stderr);
      return kExitInterrupted;
    }
    if (!imports::ends_everything(report.error())) return report.error();
    return Error{report.error().code,
                 report.error().message + " (what was " + std::string(done) + " stays; the same command goes on)"};
  }
  if (context.json()) {
    print_json(imports::report_json(*report, false));
  } else {
    std::fputs(imports::render(*report, false).c_str(), stdout);
  }
  return report->problems.empty() ? kExitOk : kExitFailed;
}

Result<int> runs_export_mlflow(Context& context, const Arguments& arguments) {
  auto options = TRY(options_of(context, arguments));
  return carry_out(context, arguments, "written", [&](imports::Source& source, OnProgress on_progress) {
    options.on_progress = std::move(on_progress);
    return imports::export_mlflow(source, options);
  });
}

}  // namespace slipway::cli

// slipway run STEP: takes the working copy as it is, sends what the server lacks of it, starts the step, and watches.
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "domain/run_spec.h"
#include "follow.h"
#include "working_copy.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

/// "lr=0.1" -> ("lr", "0.1").
Result<Named<std::string>> assignments(const std::vector<std::string>& words, const char* what) {
  Named<std::string> out;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::invalid_argument, "'" + word + "' is no " + what + "; expected name=value"};
    }
    out.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return out;
}

Result<int> run_step(Context& outer, const Arguments& arguments) {
  const fs::path path = TRY(find_project_file(arguments.get("file")));
  const std::string text = TRY(read_file(path, kProjectFileBytesMax));
  const ProjectFile file = TRY(parse_project_file(text, path.filename().string()));
  // The file says which project its runs belong to, unless the person does.
  Context::Settings settings = outer.settings();
  if (settings.project == "default") settings.project = file.project;
  Context context(settings);

  Named<Json> parameters;
  for (auto& [name, value] : TRY(assignments(arguments.all("parameter"), "parameter")))
    parameters.emplace_back(name, value);
  RunSpec spec =
      TRY(make_run_spec(file, arguments.get("step"), parameters, TRY(assignments(arguments.all("input"), "input"))));
  const SentSnapshot sent = TRY(send_snapshot(context, path.parent_path(), arguments.get("untracked-max")));
  spec.snapshot = sent.tree;

  Json body = to_json(spec);
  body.set("snapshot_manifest", sent.manifest)
      .set("name", arguments.get("name"))
      .set("experiment", arguments.get("experiment"));
  Json tags{Json::Object{}};
  for (const auto& [name, value] : TRY(assignments(arguments.all("tag"), "tag"))) tags.set(name, value);
  const Json run = TRY(context.post("/api/v1/runs", body.set("tags", tags)));
  if (!arguments.has("detach")) return watch_run(context, run);
  if (context.json()) {
    print_json(run);
  } else {
    tell_run(context, run);
    std::puts(run["id"].string().c_str());
  }
  return kExitOk;
}

}  // namespace

void add_run(Commands& commands) {
  commands.push_back(
      {.path = "run",
       .summary = "Run a step of slipway.yaml with the working copy as it is",
       .details =
           "Takes a snapshot (uncommitted changes and untracked files that are not ignored included), queues the run, follows its log, and\n"
           "exits with the command's own exit code. Ctrl-C stops watching, not the run. With -o json the log goes to standard error\n"
           "and the run, as it ended, to standard output.",
       .example = "slipway run train lr=0.01",
       .positionals = {{.name = "step", .help = "a name under steps:"},
                       {.name = "parameter",
                        .help = "name=value, over the step's defaults",
                        .required = false,
                        .repeatable = true}},
       .options = {{.name = "file", .letter = 'f', .value_name = "PATH", .help = "the project file", .otherwise = ""},
                   {.name = "input",
                    .letter = 'i',
                    .value_name = "NAME=REF",
                    .help = "in place of a declared input: digits=dataset:digits@fix",
                    .otherwise = "",
                    .repeatable = true},
                   {.name = "name", .letter = 0, .value_name = "NAME", .help = "the run's name", .otherwise = ""},
                   {.name = "experiment",
                    .letter = 'e',
                    .value_name = "NAME",
                    .help = "the experiment it belongs to; the step's name when absent",
                    .otherwise = ""},
                   {.name = "tag",
                    .letter = 't',
                    .value_name = "KEY=VALUE",
                    .help = "a tag of the run",
                    .otherwise = "",
                    .repeatable = true},
                   {.name = "untracked-max",
                    .letter = 0,
                    .value_name = "SIZE",
                    .help = "how much of untracked files is taken along",
                    .otherwise = ""},
                   {.name = "detach",
                    .letter = 'd',
                    .value_name = "",
                    .help = "print the run's id and do not wait",
                    .otherwise = ""}},
       .run = run_step});
}

}  // namespace slipway::cli

// slipway init: a slipway.yaml to begin with.
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "cli.h"
#include "domain/project_file.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

/// The first thing a newcomer changes; it runs as it is.
std::string first_file(const std::string& script) {
  const std::string command = script.empty() ? "echo hello from step train, lr={lr}" : "python " + script;
  const std::string parameters = script.empty() ? "    parameters:\n      lr: {type: float, default: 0.01}\n" : "";
  return "# What this project runs. Try it: slipway run train\n"
         "\n"
         "environments:\n"
         "  host: {interpreter: python3}          # what this machine has; or {python: \"3.11\", requirements: requirements.txt}\n"
         "\n"
         "steps:\n"
         "  train:\n"
         "    environment: host\n"
         "    command: " +
         command + "\n" + parameters +
         "    # outputs: {model: {path: model.onnx, model: my-model}}   # becomes a version of the model\n"
         "    # inputs:  {data: \"dataset:my-data@main\"}                 # lies under $SLIPWAY_INPUTS/data\n"
         "    # limits:  {time: 6h, silence: 20m}\n";
}

Result<int> run_init(Context& context, const Arguments& arguments) {
  if (arguments.has("schema")) {
    std::puts(slipway_yaml_schema().c_str());
    return kExitOk;
  }
  const fs::path path = fs::current_path() / kProjectFileName;
  if (fs::exists(path)) return Error{ErrorCode::already_exists, path.string() + " is there already"};
  std::string script;
  for (const char* name : {"train.py", "main.py"}) {
    if (script.empty() && fs::exists(fs::current_path() / name)) script = name;
  }
  const std::string text = first_file(script);
  TRY(parse_project_file(text));
  TRY(write_file_atomic(path, text));
  if (context.json()) {
    print_json(Json().set("path", path.string()));
  } else {
    std::printf("wrote %s\nnext: slipway run train\n", path.c_str());
  }
  return kExitOk;
}

}  // namespace

void add_init(Commands& commands) {
  commands.push_back({.path = "init",
                      .summary = "Write a slipway.yaml to begin with",
                      .details = "",
                      .example = "slipway init",
                      .positionals = {},
                      .options = {{.name = "schema",
                                   .letter = 0,
                                   .value_name = "",
                                   .help = "print the JSON Schema of slipway.yaml for editors instead",
                                   .otherwise = ""}},
                      .run = run_init});
}

}  // namespace slipway::cli

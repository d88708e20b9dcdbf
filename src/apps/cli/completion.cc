// slipway completion: a script for the shell, made from the table of commands.
#include <cstdio>

#include "cli.h"
#include "parse.h"

namespace slipway::cli {

void add_completion(Commands& commands) {
  commands.push_back({.path = "completion",
                      .summary = "Print a completion script for bash, zsh or fish",
                      .details = "",
                      .example = "source <(slipway completion bash)",
                      .positionals = {{.name = "shell", .help = "bash, zsh or fish"}},
                      .options = {},
                      .run = nullptr});
  // The script describes every command, this one included, so it is rendered when asked for.
  commands.back().run = [&commands](Context&, const Arguments& arguments) -> Result<int> {
    const std::string& shell = arguments.get("shell");
    if (shell != "bash" && shell != "zsh" && shell != "fish") {
      return Error{ErrorCode::invalid_argument,
                   "there is no completion for '" + shell + "'; known are bash, zsh and fish"};
    }
    std::fputs(render_completion(commands, shell).c_str(), stdout);
    return kExitOk;
  };
}

}  // namespace slipway::cli

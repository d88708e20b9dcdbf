// slipway runner: the node side of one attempt. Executors start it; people hardly ever do.
#include "runner/runner.h"
#include "cli.h"

namespace slipway::cli {

void add_runner(Commands& commands) {
  commands.push_back({.path = "runner",
                      .summary = "Execute one attempt of a run (started by executors)",
                      .details = "",
                      .example = "slipway runner --ticket ticket.json",
                      .positionals = {},
                      .options = {{.name = "ticket",
                                   .letter = 0,
                                   .value_name = "FILE",
                                   .help = "what the server wrote for this attempt; removed once read",
                                   .otherwise = "",
                                   .required = true}},
                      .run = [](Context&, const Arguments& arguments) -> Result<int> {
                        return runner::runner_main(arguments.get("ticket"));
                      }});
}

}  // namespace slipway::cli

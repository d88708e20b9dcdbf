// Watching a run from the command line.
#pragma once

#include "cli.h"

namespace slipway::cli {

/// The run's id: as typed, or that of `latest`, `latest~1`…
Result<std::string> find_run(Context& context, const std::string& text);

struct FollowOptions {
  std::int64_t offset = 0;  // negative: that many bytes before the end
  bool wait = true;         // until the run is over; else only what is there
  /// Gets the log, piece by piece; standard output when empty.
  std::function<Result<void>(std::string_view)> take;
};

/// Copies the run's log, byte for byte, and stays with it through restarts of the server. Answers the
/// exit code: 0 for a run that ended well, the command's own for one that did not, 130 when the person leaves with
/// Ctrl-C (the run goes on).
Result<int> follow_run(Context& context, const std::string& run, const FollowOptions& options);

/// Name, id and page of a run that was started, on standard error.
void tell_run(const Context& context, const Json& run);

/// Watches a run that was just started to its end and says how that was; with -o json the run is printed, and its log
/// goes to standard error. Answers the exit code as follow_run() does.
Result<int> watch_run(Context& context, const Json& run);

}  // namespace slipway::cli

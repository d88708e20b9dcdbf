// Watching a run from the command line.
#pragma once

#include "cli.h"

namespace slipway::cli {

/// The run's id: as typed, or the newest run's for "latest".
Result<std::string> find_run(Context& context, const std::string& text);

struct FollowOptions {
  std::int64_t offset = 0;  // negative: that many bytes before the end
  bool wait = true;         // until the run is over; else only what is there
};

/// Copies the run's log to standard output, byte for byte, and stays with it through restarts of the server. Answers the
/// exit code: 0 for a run that ended well, the command's own for one that did not, 130 when the person leaves with Ctrl-C
/// (the run goes on).
Result<int> follow_run(Context& context, const std::string& run, const FollowOptions& options);

}  // namespace slipway::cli

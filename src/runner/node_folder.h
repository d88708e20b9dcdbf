// What runs leave in a node's folder, and for how long.
#pragma once

#include <filesystem>

#include "base/clock.h"

namespace slipway::runner {

/// Checkpoints of runs that failed, folders of attempts whose runner was killed or whose log never reached the server,
/// and runners' own logs stay so long after their last change: somebody may still want them.
inline constexpr Duration kLeftoversKept = std::chrono::hours(24 * 30);

/// Removes what is older. Safe beside other runners: what they use is younger.
void tidy_node_folder(const std::filesystem::path& node_folder, Time now);

}  // namespace slipway::runner

// Folders of W&B's client (wandb/offline-run-…, wandb/run-…), carried without asking W&B for anything.
#pragma once

#include <filesystem>
#include <string>

#include "imports/destination.h"
#include "imports/report.h"

namespace slipway::imports {

/// A run whose file has no end is over, and failed, when nothing was written to it for so long.
inline constexpr Duration kWandbSilenceMax = std::chrono::minutes(10);
inline constexpr size_t kWandbValueBytesMax = 6'000;  // of a parameter; the rest is cut off and told

struct WandbOptions {
  std::string experiment;  // empty: each run's own W&B project
  bool files = true;
  bool again = false;  // look at runs that are here and unchanged, too
};

/// `folder` is one of a run, or what holds such: not_found when there is none. A run's id is made from its project and
/// W&B's id of it, so the same run is never there twice, and folders of one that was resumed are one run. History
/// becomes metrics, config parameters, load `system/` metrics, files artifacts; summary values that the history does
/// not have become metrics and tags. What of a single run cannot be carried is in the report. Memory is that of one
/// request.
Result<Report> carry_wandb(const std::filesystem::path& folder, Destination& destination, const WandbOptions& options);

}  // namespace slipway::imports

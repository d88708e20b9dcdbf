// What the file of a W&B run says, in two readings: first everything but the points, then the points. Private to the
// room.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "imports/source.h"
#include "imports/wandb_file.h"

namespace slipway::imports {

/// A folder's file but for its points.
struct WandbStory {
  std::filesystem::path folder, file;
  std::uint64_t size = 0;
  WandbRun run;
  std::map<std::string, Json> config, summary;  // leaves, by their joined names
  std::map<std::string, double> latest;         // of each metric of the history the value that came last
  std::int64_t step_last = 0, first_ms = 0, last_ms = 0;
  std::optional<int> exit_code;
  std::int64_t points = 0, texts = 0, lists = 0, media = 0, plots = 0, others = 0;
  std::set<std::string> artifacts;
  std::string damage;  // a sentence; empty when the file is whole
};

/// not_found, invalid_argument when it is no such file at all, or has no run in it.
Result<WandbStory> read_wandb_story(const std::filesystem::path& file);

/// All points, of history and load, and the console's output, in the file's order; up to the damage.
struct WandbPoints {
  std::function<Result<void>(Point)> point;
  std::function<Result<void>(std::string_view)> output;
};
Result<void> read_wandb_points(const std::filesystem::path& file, const WandbPoints& visit);

}  // namespace slipway::imports

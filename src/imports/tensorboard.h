// A folder of TensorBoard's event files: every folder that holds some is a run.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "imports/report.h"
#include "imports/series.h"

namespace slipway::imports {

/// Reads a folder again and again, each time what came since. A run's id is made from its path below the folder and the
/// name of its first event file, which says when and where it began: so a folder may be moved, and imported twice.
class TensorBoardFolder {
 public:
  explicit TensorBoardFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// What came since the last call. not_found when the folder has no event files (only the first time).
  Result<void> read(Destination& destination, const std::string& experiment);
  /// Every run is over.
  Result<void> finish(Destination& destination, const std::string& experiment);

  /// Points that were read so far, runs, problems, and what is left behind.
  Report report() const;

 private:
  struct File {
    std::uint64_t read = 0;  // bytes
    bool is_broken = false;
  };

  Result<void> read_file(const std::filesystem::path& path, File& file, SeriesRun& run, Destination& destination,
                         const std::string& experiment);
  SeriesRun& run_of(const std::filesystem::path& file);

  const std::filesystem::path folder_;
  std::map<std::filesystem::path, File> files_;
  std::map<std::filesystem::path, SeriesRun> runs_;  // by their folders
  Report report_;
  std::int64_t others_ = 0;
};

}  // namespace slipway::imports

// Sends what programs left in folders (journal.h) to a server, exactly once: runs have their ids from the start, and of
// equal points one counts, so sending again what arrived already changes nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "imports/destination.h"

namespace slipway::imports {

struct Synced {
  std::string run_id;
  std::int64_t points = 0, files = 0;
  bool is_open = false;   // its program still writes; call again later
  bool is_whole = false;  // all of it is at the server, and the run is over
};

/// The folders of runs at or below `folder`, oldest first by name.
std::vector<std::filesystem::path> find_run_folders(const std::filesystem::path& folder);

/// Sends what the server does not have yet. A run whose program ended without saying how becomes a failed one. Removes
/// the folder of a run that is whole, unless `keep`. `place.project` is overruled by what the folder says.
Result<Synced> sync_folder(const std::filesystem::path& folder, Destination::Place place, bool keep);

}  // namespace slipway::imports

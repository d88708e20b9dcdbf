// The working copy that a run or a pipeline is made of: where its slipway.yaml is, and sending what the server lacks of
// it.
#pragma once

#include <filesystem>
#include <string>

#include "cli.h"

namespace slipway::cli {

/// The file that was named; else slipway.yaml here or in the nearest folder above.
Result<std::filesystem::path> find_project_file(const std::string& given);

struct SentSnapshot {
  std::string tree, manifest;  // hashes
};

/// Takes a snapshot of `folder` and uploads it; says so on standard error. `untracked_max` ("200MiB", or empty for the
/// default) bounds the files that git does not track.
Result<SentSnapshot> send_snapshot(Context& context, const std::filesystem::path& folder,
                                   const std::string& untracked_max);

}  // namespace slipway::cli

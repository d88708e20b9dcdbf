// Bytes on their way to the server: snapshots before a run, outputs after it.
#pragma once

#include <functional>

#include "runner/link.h"
#include "runner/snapshot.h"

namespace slipway::runner {

/// Told bytes sent so far and in all.
using UploadProgress = std::function<void(std::uint64_t sent, std::uint64_t all)>;

/// Sends what the server lacks of the snapshot, then its tree; answers the tree's hash. A file that changed since it was
/// hashed is failed_precondition and named.
Result<Hash> upload_tree(Link& link, const Snapshot& snapshot, const UploadProgress& progress = nullptr);
Result<Hash> upload_bytes(Link& link, std::string bytes);

/// Finds one declared output below the run's folders and sends it. nullopt when it is not there and need not be.
Result<std::optional<OutputReport>> upload_output(Link& link, std::string_view name, const StepOutput& output,
                                                  const std::filesystem::path& code, const std::filesystem::path& outputs);

}  // namespace slipway::runner

// Bytes on their way to the server: snapshots before a run, outputs after it.
#pragma once

#include <functional>

#include "runner/link.h"
#include "runner/snapshot.h"

namespace slipway::runner {

/// Told bytes sent so far and in all.
using UploadProgress = std::function<void(std::uint64_t sent, std::uint64_t all)>;

/// Sends what the server lacks of the snapshot, then its tree; answers the tree's hash. A file that changed since it
/// was hashed is failed_precondition and named.
Result<Hash> upload_tree(Link& link, const Snapshot& snapshot, const UploadProgress& progress = nullptr);
Result<Hash> upload_bytes(Link& link, std::string bytes);

struct UploadedOutput {
  OutputReport report;
  std::vector<std::string> left_out;  // what of the folder was not sent and why, in words
};

/// Finds one declared output below the run's folders and sends it. nullopt when it is not there and need not be. A link
/// inside a folder becomes the file it leads to, as long as that lies in the same folder (`best.pt -> epoch-3.pt`);
/// others are left out.
Result<std::optional<UploadedOutput>> upload_output(Link& link, std::string_view name, const StepOutput& output,
                                                    const std::filesystem::path& code,
                                                    const std::filesystem::path& outputs);

}  // namespace slipway::runner

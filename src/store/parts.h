// Uploads that come in parts, in any order and at once: each part is a file of its own until all are there, and then
// they become one blob. Parts lie beside the blobs, not among them, so joining leaves nothing for a sweep.
//
// A part is there whole and synced, or not at all; the same part again takes the former's place in one step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace slipway::store {

/// A part as its sender knows it.
struct PartName {
  std::int64_t number = 0;
  Hash hash;
};

/// Thread-safe; blocks for the disk. Names of uploads are ids (looks_like_id), checked here.
class Parts {
 public:
  /// Makes the folder when it is missing.
  static Result<std::unique_ptr<Parts>> open(const std::filesystem::path& folder);

  Result<void> begin(std::string_view upload);
  /// Writes what `next` gives until it gives nothing. An error of `next` leaves the part as it was. not_found when the
  /// upload was removed.
  Result<BlobInfo> write(std::string_view upload, std::int64_t number,
                         const std::function<Result<std::string>()>& next);
  /// Puts the parts into the store, one behind the other, reading each once. invalid_argument when one is missing or
  /// has other bytes than its hash says; then nothing is put.
  Result<BlobInfo> join(std::string_view upload, std::span<const PartName> parts, Store& store) const;
  /// One that is not there is no error.
  Result<void> remove(std::string_view upload);
  /// Uploads without a new part since `before`.
  Result<std::vector<std::string>> idle_since(Time before) const;

 private:
  explicit Parts(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<std::filesystem::path> folder_of(std::string_view upload) const;
  Result<void> append(Upload& to, const std::filesystem::path& folder, const PartName& part) const;

  const std::filesystem::path folder_;
};

}  // namespace slipway::store

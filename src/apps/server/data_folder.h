// The data folder: one server at a time, one format.
#pragma once

#include <filesystem>

#include "base/file.h"
#include "base/result.h"

namespace slipway::server {

/// A data folder that is ours alone until this goes away (an flock, so a killed server leaves nothing behind).
class DataFolder {
 public:
  static constexpr int kFormat = 1;

  /// `slipway restore` leaves this file in a folder until everything is in it.
  static constexpr const char* kRestoring = "restoring";
  /// What it becomes then, until the first server started on the folder.
  static constexpr const char* kRestored = "restored";

  enum class Use { serve, restore };
  /// Creates it when it is missing. failed_precondition: another server uses it, a newer version wrote it, or (to
  /// serve) it is half restored.
  static Result<DataFolder> open(const std::filesystem::path& path, Use use = Use::serve);

  const std::filesystem::path& path() const { return path_; }

 private:
  DataFolder(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  UniqueFd lock_;
};

}  // namespace slipway::server

// What sources that are folders have in common. Private to the room.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "imports/source.h"

namespace slipway::imports {

/// Every regular file below a folder, by its path in it, sorted; links are not followed. Empty when there is none.
Result<std::vector<SourceFile>> files_below(const std::filesystem::path& folder);
/// Each file below a folder as (path, content).
Result<Pairs> contents_below(const std::filesystem::path& folder);
/// A YAML file as JSON.
Result<Json> read_yaml_file(const std::filesystem::path& path);
/// The folders in a folder that have a file of that name, sorted.
std::vector<std::filesystem::path> folders_with(const std::filesystem::path& folder, const char* file);

}  // namespace slipway::imports

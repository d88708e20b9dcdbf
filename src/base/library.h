// Where the libraries that come beside the programs are looked for when they are loaded at run time.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace slipway {

/// In order: what the environment variable names (nullptr: none is asked), ../lib/slipway and ../lib from the running
/// program's folder, that folder itself, then the system's own search for `file`.
std::vector<std::filesystem::path> library_candidates(const char* variable, std::string_view file);

}  // namespace slipway

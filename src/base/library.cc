#include "base/library.h"

#include <cstdlib>

namespace slipway {

std::vector<std::filesystem::path> library_candidates(const char* variable, std::string_view file) {
  std::vector<std::filesystem::path> candidates;
  const char* named = variable ? std::getenv(variable) : nullptr;
  if (named && *named) candidates.emplace_back(named);
  std::error_code failed;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
  if (!failed) {
    for (const char* relative : {"../lib/slipway", "../lib", "."})
      candidates.push_back((folder / relative / file).lexically_normal());
  }
  candidates.emplace_back(file);
  return candidates;
}

}  // namespace slipway

#include "catalog/duckdb_library.h"

#include <dlfcn.h>

#include <cstdlib>

#include "catalog/analytics.h"

namespace slipway::catalog {
namespace {

Result<const DuckLibrary*> load() {
  std::string tried;
  for (const auto& candidate : analytics_candidates()) {
    void* handle = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    tried += (tried.empty() ? "" : ", ") + candidate.string();
    if (!handle) continue;
    auto library = std::make_unique<DuckLibrary>();
#define SLIPWAY_LOAD(function)                                                                              \
  library->function = reinterpret_cast<decltype(&duckdb_##function)>(::dlsym(handle, "duckdb_" #function)); \
  if (!library->function)                                                                                   \
    return Error{ErrorCode::unavailable,                                                                    \
                 candidate.string() + " has no duckdb_" #function "; another version of DuckDB?"};
    SLIPWAY_DUCKDB_FUNCTIONS(SLIPWAY_LOAD)
#undef SLIPWAY_LOAD
    return library.release();
  }
  return Error{ErrorCode::unavailable, "DuckDB's library was not found; looked for " + tried +
                                           ". `tools/bootstrap` fetches it, SLIPWAY_DUCKDB names it"};
}

}  // namespace

std::vector<std::filesystem::path> analytics_candidates() {
  std::vector<std::filesystem::path> candidates;
  if (const char* named = std::getenv("SLIPWAY_DUCKDB"); named && *named) candidates.emplace_back(named);
  std::error_code ignored;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const char* relative : {"../lib/slipway", "../lib", "."})
    candidates.push_back((folder / relative / "libduckdb.so").lexically_normal());
  candidates.emplace_back("libduckdb.so");
  return candidates;
}

Result<const DuckLibrary*> duckdb_library() {
  static const Result<const DuckLibrary*> loaded = load();
  return loaded;
}

}  // namespace slipway::catalog

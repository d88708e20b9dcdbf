#include "catalog/duckdb_library.h"

#include <dlfcn.h>

#include "base/library.h"

namespace slipway::catalog {
namespace {

Result<const DuckLibrary*> load() {
  std::string tried;
  for (const auto& candidate : library_candidates("SLIPWAY_DUCKDB", "libduckdb.so")) {
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

Result<const DuckLibrary*> duckdb_library() {
  static const Result<const DuckLibrary*> loaded = load();
  return loaded;
}

}  // namespace slipway::catalog

// The files that clients attach to traces, by path: pictures and sound that a span went in or out with, and the whole
// record of clients that keep one. They go when their trace goes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "catalog/catalog.h"
#include "domain/ids.h"
#include "domain/trace.h"

namespace slipway::tracking {

struct TraceFile {
  std::string path;
  Hash hash;  // of a blob that is in the store
  std::uint64_t size = 0;
  Time created_at;
};

inline constexpr std::int64_t kTraceFilesMax = 1000;  // of one trace

/// Every call blocks for the database. Thread-safe. A trace that the project has not is not_found.
class TraceFiles {
 public:
  TraceFiles(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// The path is checked by check_relative_path(), the blob leased. A path that is taken gets the new bytes.
  /// failed_precondition past kTraceFilesMax.
  Result<void> put(const ProjectId& project, const TraceId& trace, const std::string& path, const Hash& hash,
                   std::uint64_t size);
  Result<TraceFile> get(const ProjectId& project, const TraceId& trace, const std::string& path);
  /// Every file below `folder` ("" for all), sorted by path.
  Result<std::vector<TraceFile>> all(const ProjectId& project, const TraceId& trace, const std::string& folder);
  /// A file, or everything below a folder. The blobs stay until a sweep.
  Result<void> remove(const ProjectId& project, const TraceId& trace, const std::string& path);

  /// Tells every blob that a file names.
  Result<void> visit(const std::function<void(const Hash&)>& visitor);

 private:
  catalog::Database& database_;
  const Clock& clock_;
};

}  // namespace slipway::tracking

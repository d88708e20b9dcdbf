// The logs of runs: bytes appended in the database, compressed, read from any offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "domain/ids.h"

namespace slipway::runs {

/// A chunk grows by rewriting until it has this many bytes; then a new row begins. It bounds both the rows of a chatty
/// run and the bytes written again for each line.
inline constexpr std::uint64_t kLogChunkBytes = 32 << 10;
inline constexpr std::uint64_t kLogReadBytesMax = 4 << 20;

struct LogPiece {
  std::uint64_t offset = 0;  // of `bytes`
  std::string bytes;
  std::uint64_t next_offset = 0;
  std::uint64_t size = 0;  // of the whole log, now
};

/// Thread-safe; blocks for the database.
class LogStore {
 public:
  explicit LogStore(catalog::Database& database) : database_(database) {}

  /// From `offset`, at most `bytes_max`. A negative offset counts from the end. Past the end there is nothing.
  Result<LogPiece> read(const RunId& run, std::int64_t offset, std::uint64_t bytes_max);
  Result<std::uint64_t> size(const RunId& run);

 private:
  catalog::Database& database_;
};

/// Inside somebody's transaction: `bytes` go to the end of the log, which is at `size`.
Result<void> append_log(catalog::Connection& connection, const RunId& run, std::uint64_t size, std::string_view bytes);

}  // namespace slipway::runs

// A Parquet file that is written row by row, through DuckDB, and never held in memory as a whole: rows gather in a
// table of bounded size, leave it as a part, and the parts become the file.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "catalog/table_writer.h"

namespace slipway::catalog {

/// More columns are refused: each costs memory for a whole group of rows.
inline constexpr size_t kParquetFileColumnsMax = 2'000;

/// text is VARCHAR, integer BIGINT, number DOUBLE, time TIMESTAMP (microseconds, UTC). Of column names that differ in
/// case alone all but the first get a number: loss, Loss_1.
class ParquetFile : public TableWriter {
 public:
  /// `scratch` is an empty folder on a disk with room for the file twice; its owner empties it. too_large for more than
  /// kParquetFileColumnsMax columns.
  static Result<std::unique_ptr<ParquetFile>> create(const std::filesystem::path& scratch,
                                                     const std::vector<TableColumn>& columns);

  /// The whole file, in scratch, with rows in their order. Nothing may be added afterwards.
  virtual Result<std::filesystem::path> finish() = 0;
  virtual std::int64_t rows() const = 0;
};

}  // namespace slipway::catalog

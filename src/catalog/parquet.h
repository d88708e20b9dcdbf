// A look into a Parquet file: its columns and some of its rows, as text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace slipway::catalog {

struct ParquetColumn {
  std::string name, type;  // the type in DuckDB's words: BIGINT, DOUBLE, VARCHAR, STRUCT(…)
};

struct ParquetRows {
  std::vector<ParquetColumn> columns;                         // at most kParquetColumnsMax
  std::int64_t column_count = 0, row_count = 0;               // of the whole file
  std::vector<std::vector<std::optional<std::string>>> rows;  // none: NULL; each at most kParquetCellCharactersMax
};

inline constexpr size_t kParquetColumnsMax = 200;
inline constexpr std::int64_t kParquetRowsMax = 1000;
inline constexpr size_t kParquetCellCharactersMax = 2000;

/// `count` rows (at most kParquetRowsMax) from the row `first` on. invalid_argument for a file that is no Parquet;
/// unavailable without DuckDB. Blocks; reads only what it needs of the file.
Result<ParquetRows> read_parquet_rows(const std::filesystem::path& file, std::int64_t first, std::int64_t count);

}  // namespace slipway::catalog

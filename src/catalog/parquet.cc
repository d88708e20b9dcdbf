#include "catalog/parquet.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "catalog/analytics.h"

namespace slipway::catalog {
namespace {

constexpr size_t kReasonBytesMax = 300;

/// DuckDB's reason in its first line, without where the server keeps the file.
std::string reason_of(std::string message, const std::string& file) {
  for (const char* end : {"\n", "): "}) message.resize(std::min(message.find(end), message.size()));
  if (const size_t open = message.find('('); open != std::string::npos) message.erase(0, open + 1);
  const std::string quoted = " '" + file + "'";
  for (size_t at = message.find(quoted); at != std::string::npos; at = message.find(quoted))
    message.erase(at, quoted.size());
  return clean_utf8(message, kReasonBytesMax);
}

/// What DuckDB says of a file that it cannot read is the file's fault, unless DuckDB itself is not there.
template <typename T>
Result<T> of_file(Result<T> result, const std::filesystem::path& file) {
  if (result.ok() || result.error().code != ErrorCode::internal) return result;
  return Error{ErrorCode::invalid_argument,
               "the file could not be read as Parquet: " + reason_of(result.error().message, file.string())};
}

Result<std::vector<ParquetColumn>> columns_of(Connection& duck, const std::string& source) {
  return duck.rows("DESCRIBE SELECT * FROM " + source, {}, [](const Row& row) {
    return ParquetColumn{clean_utf8(row.text(0)), clean_utf8(row.text(1), kReasonBytesMax)};
  });
}

std::string cells_of(const std::vector<ParquetColumn>& columns) {
  std::string cells;
  for (const ParquetColumn& column : columns)
    cells += fmt::format("{}left(CAST({} AS VARCHAR), {})", cells.empty() ? "" : ", ", quote_identifier(column.name),
                         kParquetCellCharactersMax);
  return cells;
}

}  // namespace

Result<ParquetRows> read_parquet_rows(const std::filesystem::path& file, std::int64_t first, std::int64_t count) {
  const auto duck = TRY(open_analytics());
  // A type that DuckDB has in an extension is no reason to fetch one.
  TRY(duck->run("SET autoinstall_known_extensions = false", {}));
  TRY(duck->run("SET autoload_known_extensions = false", {}));
  const std::string source = "read_parquet(" + quote_literal(file.string()) + ")";
  ParquetRows found;
  found.columns = TRY(of_file(columns_of(*duck, source), file));
  found.column_count = static_cast<std::int64_t>(found.columns.size());
  if (found.columns.size() > kParquetColumnsMax) found.columns.resize(kParquetColumnsMax);
  TRY(of_file(duck->run("SELECT CAST(COUNT(*) AS BIGINT) FROM " + source, {},
                        [&](const Row& row) {
                          found.row_count = row.integer(0);
                          return false;
                        }),
              file));
  const auto cells = static_cast<int>(found.columns.size());
  TRY(of_file(
      duck->run(fmt::format("SELECT {} FROM {} LIMIT {} OFFSET {}", cells_of(found.columns), source,
                            std::clamp<std::int64_t>(count, 0, kParquetRowsMax), std::max<std::int64_t>(first, 0)),
                {},
                [&](const Row& row) {
                  auto& read = found.rows.emplace_back();
                  for (int i = 0; i < cells; ++i)
                    read.push_back(row.is_null(i) ? std::nullopt : std::optional(clean_utf8(row.text(i))));
                  return true;
                }),
      file));
  return found;
}

}  // namespace slipway::catalog

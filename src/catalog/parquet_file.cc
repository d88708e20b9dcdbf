#include "catalog/parquet_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "catalog/analytics.h"
#include "catalog/duckdb_library.h"

namespace slipway::catalog {
namespace {

namespace fs = std::filesystem;

/// A table this large becomes a part: some 50 MiB, and the same again while it is written.
constexpr size_t kPartCellsMax = 2'000'000;
constexpr size_t kPartTextBytesMax = 32 << 20;
constexpr size_t kGroupRowsMin = 2'048, kGroupRowsMax = 122'880;

const char* sql_name(ColumnType type) {
  switch (type) {
    case ColumnType::text: return "VARCHAR";
    case ColumnType::integer: return "BIGINT";
    case ColumnType::number: return "DOUBLE";
    case ColumnType::time: return "TIMESTAMP";
  }
  return "VARCHAR";
}

class PartedFile : public ParquetFile {
 public:
  PartedFile(const DuckLibrary& duck, fs::path scratch, const std::vector<TableColumn>& columns)
      : duck_(duck), scratch_(std::move(scratch)), columns_(columns.size()) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string comma = i > 0 ? ", " : "";
      // The table's own names are numbers, because its columns may not differ in case alone.
      table_ += fmt::format("{}c{} {}", comma, i, sql_name(columns[i].type));
      named_ += fmt::format("{}c{} AS {}", comma, i, quote_identifier(columns[i].name));
    }
  }

  ~PartedFile() override {
    if (appender_) duck_.appender_destroy(&appender_);
    if (connection_) duck_.disconnect(&connection_);
    if (database_) duck_.close(&database_);
  }

  Result<void> open() {
    if (duck_.open(nullptr, &database_) != DuckDBSuccess || duck_.connect(database_, &connection_) != DuckDBSuccess)
      return Error{ErrorCode::unavailable, "DuckDB could not open a database in memory"};
    TRY(run("SET threads = 1"));
    TRY(run("SET memory_limit = '512MB'"));
    TRY(run("SET temp_directory = " + quote_literal((scratch_ / "spilled").string())));
    return begin_table();
  }

  void text(std::string_view value) override {
    const std::string cleaned = is_utf8(value) ? std::string() : clean_utf8(value);
    if (!cleaned.empty()) value = cleaned;
    text_bytes_ += value.size();
    keep(duck_.append_varchar_length(appender_, value.data(), value.size()));
  }
  void integer(std::int64_t value) override { keep(duck_.append_int64(appender_, value)); }
  void number(double value) override { keep(duck_.append_double(appender_, value)); }
  void time(Time value) override { keep(duck_.append_timestamp(appender_, duckdb_timestamp{value.micros})); }
  void null() override { keep(duck_.append_null(appender_)); }

  Result<void> end_row() override {
    keep(duck_.appender_end_row(appender_));
    if (has_failed_) return failure();
    ++rows_;
    cells_ += columns_;
    if (cells_ < kPartCellsMax && text_bytes_ < kPartTextBytesMax) return {};
    TRY(end_table());
    return begin_table();
  }

  Result<fs::path> finish() override {
    TRY(end_table());
    std::string files;
    for (const fs::path& part : parts_) files += (files.empty() ? "" : ", ") + quote_literal(part.string());
    const fs::path whole = scratch_ / "whole.parquet";
    TRY(copy("SELECT " + named_ + " FROM read_parquet([" + files + "])", whole));
    return whole;
  }

  std::int64_t rows() const override { return rows_; }

 private:
  void keep(duckdb_state state) { has_failed_ = has_failed_ || state != DuckDBSuccess; }

  Error failure() {
    const char* problem = duck_.appender_error(appender_);
    return {ErrorCode::internal, fmt::format("DuckDB did not take row {} of a table: {}", rows_ + 1,
                                             problem ? problem : "a value of another type than its column's")};
  }

  Result<void> run(const std::string& sql) {
    duckdb_result result;
    const duckdb_state state = duck_.query(connection_, sql.c_str(), &result);
    const char* problem = state == DuckDBSuccess ? nullptr : duck_.result_error(&result);
    const std::string why = problem ? problem : "no reason given";
    duck_.destroy_result(&result);
    if (state == DuckDBSuccess) return {};
    return Error{ErrorCode::internal, fmt::format("DuckDB failed ({}): {}", clean_utf8(why, 1000), sql.substr(0, 200))};
  }

  Result<void> begin_table() {
    cells_ = text_bytes_ = 0;
    TRY(run("CREATE TABLE rows (" + table_ + ")"));
    if (duck_.appender_create(connection_, nullptr, "rows", &appender_) != DuckDBSuccess) return failure();
    return {};
  }

  /// What is in the table becomes a part.
  Result<void> end_table() {
    keep(duck_.appender_close(appender_));
    if (has_failed_) return failure();
    duck_.appender_destroy(&appender_);
    appender_ = nullptr;
    const fs::path part = scratch_ / fmt::format("part-{}.parquet", parts_.size());
    TRY(copy("SELECT * FROM rows", part));
    parts_.push_back(part);
    return run("DROP TABLE rows");
  }

  Result<void> copy(const std::string& what, const fs::path& to) {
    const size_t rows = std::clamp(kPartCellsMax / columns_, kGroupRowsMin, kGroupRowsMax);
    return run(fmt::format("COPY ({}) TO {} (FORMAT PARQUET, COMPRESSION ZSTD, ROW_GROUP_SIZE {})", what,
                           quote_literal(to.string()), rows));
  }

  const DuckLibrary& duck_;
  const fs::path scratch_;
  const size_t columns_;
  std::string table_, named_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  duckdb_appender appender_ = nullptr;
  std::vector<fs::path> parts_;
  std::int64_t rows_ = 0;
  size_t cells_ = 0, text_bytes_ = 0;
  bool has_failed_ = false;
};

}  // namespace

Result<std::unique_ptr<ParquetFile>> ParquetFile::create(const fs::path& scratch,
                                                         const std::vector<TableColumn>& columns) {
  if (columns.empty() || columns.size() > kParquetFileColumnsMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("the table would have {} columns; a Parquet file is written with at most {}",
                             columns.size(), kParquetFileColumnsMax)};
  }
  const DuckLibrary* duck = TRY(duckdb_library());
  auto file = std::make_unique<PartedFile>(*duck, scratch, columns);
  TRY(file->open());
  return std::unique_ptr<ParquetFile>(std::move(file));
}

}  // namespace slipway::catalog

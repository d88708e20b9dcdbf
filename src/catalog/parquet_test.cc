#include "catalog/parquet.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "catalog/analytics.h"

namespace slipway::catalog {
namespace {

class Parquet : public testing::Test {
 protected:
  /// A file with what `select` answers.
  std::filesystem::path file(const std::string& select) {
    const auto path = folder.path() / "it's.parquet";
    const auto duck = open_analytics();
    EXPECT_TRUE(duck.ok()) << duck.error().message;
    const auto made =
        (*duck)->run("COPY (" + select + ") TO " + quote_literal(path.string()) + " (FORMAT PARQUET)", {});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return path;
  }

  const TemporaryDirectory folder;
};

TEST_F(Parquet, columns_and_rows_are_told_as_text) {
  const auto path = file(
      "SELECT range AS n, CASE WHEN range = 1 THEN NULL ELSE range / 4 END AS \"a \"\"quoted\"\" name\", [range] AS list "
      "FROM range(5000)");
  const auto read = read_parquet_rows(path, 0, 2);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->row_count, 5000);
  ASSERT_EQ(read->columns.size(), 3u);
  EXPECT_EQ(read->columns[0].name, "n");
  EXPECT_EQ(read->columns[0].type, "BIGINT");
  EXPECT_EQ(read->columns[1].name, "a \"quoted\" name");
  ASSERT_EQ(read->rows.size(), 2u);
  EXPECT_EQ(read->rows[1][0], "1");
  EXPECT_EQ(read->rows[1][1], std::nullopt);
  EXPECT_EQ(read->rows[1][2], "[1]");
}

TEST_F(Parquet, rows_are_read_from_anywhere) {
  const auto path = file("SELECT range AS n FROM range(5000)");
  const auto read = read_parquet_rows(path, 4998, 100);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->rows.size(), 2u);
  EXPECT_EQ(read->rows[0][0], "4998");
  EXPECT_EQ(read_parquet_rows(path, 5000, 100)->rows.size(), 0u);
  EXPECT_EQ(read_parquet_rows(path, 0, 1 << 20)->rows.size(), static_cast<size_t>(kParquetRowsMax));
}

TEST_F(Parquet, long_cells_and_many_columns_are_cut) {
  std::string columns = "repeat('x', 100000) AS c0";
  for (size_t i = 1; i <= kParquetColumnsMax; ++i) columns += ", 1 AS c" + std::to_string(i);
  const auto read = read_parquet_rows(file("SELECT " + columns), 0, 1);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->columns.size(), kParquetColumnsMax);
  EXPECT_EQ(read->column_count, static_cast<std::int64_t>(kParquetColumnsMax) + 1);
  EXPECT_EQ(read->rows[0][0]->size(), kParquetCellCharactersMax);
}

TEST_F(Parquet, what_is_no_parquet_is_said_to_be_none) {
  const auto path = folder.path() / "broken.parquet";
  for (const std::string& bytes : {std::string("PAR1 nothing of it PAR1"), std::string(), std::string(1000, '\xff')}) {
    ASSERT_TRUE(write_file_atomic(path, bytes).ok());
    const auto read = read_parquet_rows(path, 0, 10);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::invalid_argument) << read.error().message;
    EXPECT_EQ(read.error().message.find(folder.path().string()), std::string::npos) << "where the server keeps it";
  }
}

}  // namespace
}  // namespace slipway::catalog

#include "catalog/parquet_file.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "catalog/analytics.h"

namespace slipway::catalog {
namespace {

using Type = ColumnType;

std::string described(const std::filesystem::path& file) {
  const auto duck = open_analytics().value();
  std::string text;
  const auto read = duck->run(
      "SELECT name, type FROM (SELECT column_name AS name, column_type AS type FROM "
      "(DESCRIBE SELECT * FROM read_parquet(" +
          quote_literal(file.string()) + ")))",
      {}, [&](const Row& row) {
        text += std::string(row.text(0)) + " " + std::string(row.text(1)) + "; ";
        return true;
      });
  EXPECT_TRUE(read.ok()) << read.error().message;
  return text;
}

TEST(ParquetFile, columns_have_their_names_and_types_and_values_come_back) {
  const TemporaryDirectory scratch;
  const auto file = ParquetFile::create(
      scratch.path(), {{"it's \"odd\"", Type::text}, {"n", Type::integer}, {"N", Type::number}, {"at", Type::time}});
  ASSERT_TRUE(file.ok()) << file.error().message;
  (*file)->text("a\xff z");
  (*file)->integer(INT64_MIN);
  (*file)->number(std::nan(""));
  (*file)->time({1'700'000'000'123'456});
  ASSERT_TRUE((*file)->end_row().ok());
  for (int i = 0; i < 4; ++i) (*file)->null();
  ASSERT_TRUE((*file)->end_row().ok());
  const auto whole = (*file)->finish();
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ((*file)->rows(), 2);
  EXPECT_EQ(described(*whole), "it's \"odd\" VARCHAR; n BIGINT; N_1 DOUBLE; at TIMESTAMP; ");
  const auto duck = open_analytics().value();
  std::vector<std::string> rows;
  const auto read = duck->run("SELECT COLUMNS(*)::VARCHAR FROM read_parquet(" + quote_literal(whole->string()) + ")",
                              {}, [&](const Row& row) {
                                std::string line;
                                for (int i = 0; i < 4; ++i) line += std::string(row.text(i)) + "|";
                                rows.push_back(line);
                                return true;
                              });
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(rows,
            (std::vector<std::string>{"a\xef\xbf\xbd z|-9223372036854775808|nan|2023-11-14 22:13:20.123456|", "||||"}));
}

TEST(ParquetFile, more_rows_than_a_part_keep_their_order) {
  const TemporaryDirectory scratch;
  auto file = ParquetFile::create(scratch.path(), {{"i", Type::integer}, {"t", Type::text}}).value();
  constexpr std::int64_t kRows = 1'300'000;
  for (std::int64_t i = 0; i < kRows; ++i) {
    file->integer(i);
    file->text("x");
    ASSERT_TRUE(file->end_row().ok());
  }
  const auto whole = file->finish();
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "part-1.parquet")) << "the test is for more than one part";
  std::int64_t expected = 0;
  const auto duck = open_analytics().value();
  ASSERT_TRUE(duck->run("SELECT i FROM read_parquet(" + quote_literal(whole->string()) + ")", {},
                        [&](const Row& row) { return row.integer(0) == expected++; })
                  .ok());
  EXPECT_EQ(expected, kRows);
}

TEST(ParquetFile, an_empty_table_is_a_file_with_columns) {
  const TemporaryDirectory scratch;
  auto file = ParquetFile::create(scratch.path(), {{"i", Type::integer}}).value();
  EXPECT_EQ(described(file->finish().value()), "i BIGINT; ");
}

TEST(ParquetFile, too_many_columns_are_refused) {
  const TemporaryDirectory scratch;
  const std::vector<TableColumn> columns(kParquetFileColumnsMax + 1, {"x", Type::integer});
  const auto refused = ParquetFile::create(scratch.path(), columns);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
}

TEST(ParquetFile, a_value_of_another_type_than_its_column_ends_the_file) {
  const TemporaryDirectory scratch;
  auto file = ParquetFile::create(scratch.path(), {{"i", Type::integer}, {"j", Type::integer}}).value();
  file->integer(1);
  EXPECT_FALSE(file->end_row().ok()) << "a row with too few values";
}

}  // namespace
}  // namespace slipway::catalog

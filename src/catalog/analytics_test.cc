#include "catalog/analytics.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::catalog {
namespace {

TEST(Analytics, reads_back_what_was_bound) {
  const auto duck = open_analytics();
  ASSERT_TRUE(duck.ok()) << duck.error().message;
  ASSERT_TRUE((*duck)->run("CREATE TABLE t (i BIGINT, d DOUBLE, s VARCHAR)", {}).ok());
  ASSERT_TRUE((*duck)
                  ->run("INSERT INTO t VALUES (?, ?, ?)",
                        {std::int64_t{7}, 0.5, std::string("a longer text than twelve bytes")})
                  .ok());
  ASSERT_TRUE((*duck)->run("INSERT INTO t VALUES (NULL, ?, ?)", {1.5, std::string("short")}).ok());
  int rows = 0;
  ASSERT_TRUE((*duck)
                  ->run("SELECT i, d, s FROM t ORDER BY d", {},
                        [&](const Row& row) {
                          if (rows == 0) {
                            EXPECT_EQ(row.integer(0), 7);
                            EXPECT_EQ(row.text(2), "a longer text than twelve bytes");
                          } else {
                            EXPECT_TRUE(row.is_null(0));
                            EXPECT_EQ(row.text(2), "short");
                          }
                          ++rows;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(rows, 2);
}

TEST(Analytics, writes_and_reads_parquet) {
  const TemporaryDirectory folder;
  const std::string file = quote_literal((folder.path() / "it's.parquet").string());
  const auto duck = open_analytics();
  ASSERT_TRUE(duck.ok());
  ASSERT_TRUE((*duck)->run("COPY (SELECT range AS n FROM range(5000)) TO " + file + " (FORMAT PARQUET)", {}).ok());
  std::int64_t sum = 0, count = 0;
  ASSERT_TRUE((*duck)
                  ->run("SELECT n FROM read_parquet(" + file + ")", {},
                        [&](const Row& row) {
                          sum += row.integer(0);
                          ++count;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(count, 5000);
  EXPECT_EQ(sum, 5000 * 4999 / 2);
}

TEST(Analytics, a_wrong_query_is_an_error_with_its_text) {
  const auto duck = open_analytics();
  ASSERT_TRUE(duck.ok());
  const auto wrong = (*duck)->run("SELECT nothing FROM nowhere", {});
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("nowhere"), std::string::npos);
}

TEST(Analytics, quotes_what_would_end_a_literal_or_a_name) {
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace slipway::catalog

#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::catalog {
namespace {

TEST(Catalog, what_is_written_is_read) {
  TemporaryDirectory folder;
  Counters counters;
  auto database = Database::open({.url = "sqlite:" + (folder.path() / "t.db").string()}, schema(), counters).value();
  ASSERT_TRUE(database->write(Durability::record, [](Connection& c) -> Result<void> {
    TRY(c.run("INSERT INTO settings(key, value) VALUES (?, ?)", {std::string("a"), std::string("b")}));
    return {};
  }).ok());
  auto value = database->read_value([](Connection& c) {
    return c.first("SELECT value FROM settings WHERE key = ?", {std::string("a")}, [](const Row& row) { return std::string(row.text(0)); });
  });
  ASSERT_TRUE(value.ok()) << value.error().message;
  EXPECT_EQ(value.value(), std::optional<std::string>("b"));
}

}  // namespace
}  // namespace slipway::catalog

// What the conformance tests share: every test runs on a fresh SQLite file and on a fresh PostgreSQL database.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/counters.h"
#include "base/file.h"
#include "catalog/catalog.h"

namespace slipway::catalog {

/// Starts a private PostgreSQL with tests/support/postgres, once per test program; it ends with the program.
class PostgresForTests {
 public:
  /// The URL of a new empty database, or why there is none.
  static Result<std::string> fresh_url();
  /// Ends its processes without warning, and starts it again.
  static void crash();
  static void restart();
};

class Conformance : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;

  bool is_postgres() const { return GetParam() == "postgres"; }
  DatabaseOptions options() const { return {.url = url_}; }
  std::unique_ptr<Database> open(DatabaseOptions options) {
    return Database::open(options, tables(), counters_).value();
  }
  std::unique_ptr<Database> open() { return open(options()); }

  /// things(id, name unique, weight, bytes, parent -> things, kind 0 or 1)
  static std::vector<Migration> tables();
  static Write insert(std::int64_t id, const std::string& name = "");
  std::int64_t count(Database& database);
  std::uint64_t commits() { return counters_.counter("catalog_commits_total", "").value(); }

  TemporaryDirectory folder_;
  std::string url_;
  Counters counters_;
};

}  // namespace slipway::catalog

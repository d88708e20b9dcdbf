// For the tests of later rooms, which run on SQLite and on PostgreSQL: a fresh database of either kind.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/process.h"
#include "base/text.h"
#include "catalog/catalog.h"

namespace slipway::catalog {

/// What `tests/support/postgres` prints when it is called with these words.
inline Result<std::string> postgres_support(std::vector<std::string> arguments) {
  // The checkout that this program was built in; __FILE__ is relative to the build and does not say where that is.
  auto root = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  while (root.has_relative_path() && !std::filesystem::exists(root / "tests/support/postgres"))
    root = root.parent_path();
  arguments.insert(arguments.begin(), (root / "tests" / "support" / "postgres").string());
  const Output output = TRY(run_command({.arguments = arguments}, std::chrono::seconds(150)));
  if (!output.status.ok()) return Error{ErrorCode::unavailable, std::string(trim(output.err))};
  return std::string(trim(output.out));
}

/// The URL of a new database of a PostgreSQL that starts with the first call and ends with the test program, or why
/// there is none. It has the whole schema already: a copy takes a tenth of the time of all migrations.
inline Result<std::string> fresh_postgres_url() {
  static const Result<std::string> server = [] {
    auto started = postgres_support({"start", "--while-pid", std::to_string(::getpid())});
    if (!started.ok()) return started;
    const auto original = postgres_support({"database", *started, "migrated"});
    if (!original.ok()) return original;
    Counters counters;
    if (auto opened = Database::open({.url = *original}, schema(), counters); !opened.ok())
      return Result<std::string>(opened.error());
    return started;
  }();
  if (!server.ok()) return server.error();
  static int number = 0;
  return postgres_support({"database", *server, "test" + std::to_string(++number), "migrated"});
}

/// The URL of a new database of `kind`, "sqlite" (a file in `folder`, empty) or "postgres".
inline Result<std::string> fresh_url(const std::string& kind, const std::filesystem::path& folder) {
  if (kind == "postgres") return fresh_postgres_url();
  return "sqlite:" + (folder / "test.db").string();
}

}  // namespace slipway::catalog

/// Runs every TEST_P(Suite, …), whose parameter is a std::string, on both.
#define SLIPWAY_ON_BOTH_DATABASES(Suite)                                            \
  INSTANTIATE_TEST_SUITE_P(Databases, Suite, testing::Values("sqlite", "postgres"), \
                           [](const auto& tested) { return tested.param; })

#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "catalog/conformance.h"

namespace slipway::catalog {
namespace {

/// Of the checkout that this program was built in. (__FILE__ does not say where that is: it is relative to the build.)
std::filesystem::path support_script() {
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe");
  do folder = folder.parent_path();
  while (folder.has_relative_path() && !std::filesystem::exists(folder / "tests/support/postgres"));
  return folder / "tests/support/postgres";
}

Result<Output> support(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), support_script().string());
  return run_command({.arguments = arguments}, std::chrono::seconds(150));
}

const Result<std::string>& server_url() {
  static const Result<std::string> url = []() -> Result<std::string> {
    const Output output = TRY(support({"start", "--while-pid", std::to_string(::getpid())}));
    if (!output.status.ok()) return Error{ErrorCode::unavailable, std::string(trim(output.err))};
    return std::string(trim(output.out));
  }();
  return url;
}

}  // namespace

Result<std::string> PostgresForTests::fresh_url() {
  static int number = 0;
  const std::string server = TRY(Result<std::string>(server_url()));
  const Output output = TRY(support({"database", server, "test" + std::to_string(++number)}));
  if (!output.status.ok()) return Error{ErrorCode::unavailable, output.err};
  return std::string(trim(output.out));
}

void PostgresForTests::crash() { ASSERT_TRUE(support({"crash", server_url().value()}).value().status.ok()); }
void PostgresForTests::restart() { ASSERT_TRUE(support({"restart", server_url().value()}).value().status.ok()); }

void Conformance::SetUp() {
  if (!is_postgres()) {
    url_ = "sqlite:" + (folder_.path() / "test.db").string();
    return;
  }
  const auto url = PostgresForTests::fresh_url();
  if (!url.ok()) GTEST_SKIP() << url.error().message;
  url_ = url.value();
}

std::vector<Migration> Conformance::tables() {
  return {{.number = 1,
           .name = "0001_things",
           .sql =
               "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT UNIQUE, weight DOUBLE PRECISION, bytes {blob},\n"
               "  parent BIGINT REFERENCES things (id), kind SMALLINT NOT NULL DEFAULT 0 CHECK (kind IN (0, 1)));"}};
}

Write Conformance::insert(std::int64_t id, const std::string& name) {
  return [id, name](Connection& c) -> Result<void> {
    TRY(c.run("INSERT INTO things(id, name) VALUES (?, ?)", {id, name.empty() ? Value(nullptr) : Value(name)}));
    return {};
  };
}

std::int64_t Conformance::count(Database& database) {
  return database
      .read_value([](Connection& c) {
        return c.first("SELECT COUNT(*) FROM things", {}, [](const Row& row) { return row.integer(0); });
      })
      .value()
      .value();
}

}  // namespace slipway::catalog

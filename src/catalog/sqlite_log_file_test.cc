// The log that is written at once holds what SQLite's own would: also what outgrew memory, was taken back, or was
// written twice, and also for whoever finds the files after the process died.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "catalog/sqlite_connection.h"

namespace slipway::catalog {
namespace {

constexpr int kBytes = 3'000;  // nearly a page

class SqliteLogFile : public testing::Test {
 protected:
  using Mode = SqliteConnection::Mode;

  SqliteLogFile() : writer_(SqliteConnection::open(file(), Mode::writer).value()) {
    execute("CREATE TABLE things (id INTEGER PRIMARY KEY, round INTEGER, bytes BLOB)");
  }

  std::filesystem::path file() const { return folder_.path() / "test.db"; }
  void execute(const std::string& sql) { ASSERT_TRUE(writer_->execute(sql).ok()) << sql; }
  /// Inserts rows from `first` on, or writes those that are there again.
  void put(int first, int count, int round) {
    for (int id = first; id < first + count; ++id)
      ASSERT_TRUE(writer_->run("INSERT OR REPLACE INTO things VALUES (?, ?, randomblob(?))", {id, round, kBytes}).ok());
  }

  static std::vector<std::int64_t> look(const std::filesystem::path& file, const char* sql) {
    const auto reader = SqliteConnection::open(file, Mode::reader).value();
    return reader->rows(sql, {}, [](const Row& row) { return row.integer(0); }).value();
  }
  static std::vector<std::int64_t> rounds(const std::filesystem::path& file) {
    const auto reader = SqliteConnection::open(file, Mode::writer).value();
    const auto whole =
        reader->first("PRAGMA integrity_check", {}, [](const Row& row) { return std::string(row.text(0)); });
    EXPECT_EQ(*whole.value(), "ok");
    return look(file, "SELECT round FROM things ORDER BY id");
  }
  /// What another process finds when this one dies now.
  std::filesystem::path left_behind() {
    const auto folder = folder_.path() / std::to_string(++copies_);
    std::filesystem::create_directory(folder);
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy_file(file().string() + suffix, (folder / "test.db").string() + suffix);
    return folder / "test.db";
  }

  TemporaryDirectory folder_;
  int copies_ = 0;
  std::unique_ptr<SqliteConnection> writer_;
};

/// How many system calls that write this process has made.
std::int64_t write_calls() {
  for (const std::string_view line : split(read_file("/proc/self/io").value(), '\n')) {
    if (line.starts_with("syscw: ")) return parse_i64(line.substr(7)).value();
  }
  return -1;
}

TEST_F(SqliteLogFile, takes_a_commit_of_many_pages_in_one_call) {
  execute("BEGIN");
  put(1, 20, 1);
  const auto before = write_calls();
  ASSERT_GE(before, 0);
  execute("COMMIT");
  EXPECT_EQ(write_calls(), before + 1);
  EXPECT_EQ(rounds(left_behind()), std::vector<std::int64_t>(20, 1));
}

TEST_F(SqliteLogFile, takes_commits_of_every_size) {
  std::vector<std::int64_t> expected;
  for (int pages = 1; pages <= 100; ++pages) {
    execute("BEGIN");
    put(static_cast<int>(expected.size()) + 1, pages, pages);
    execute("COMMIT");
    expected.insert(expected.end(), static_cast<size_t>(pages), pages);
  }
  EXPECT_EQ(rounds(left_behind()), expected);
}

TEST_F(SqliteLogFile, shows_a_commit_to_readers_at_once) {
  const auto reader = SqliteConnection::open(file(), Mode::reader).value();
  for (int i = 1; i <= 50; ++i) {
    execute("BEGIN");
    put(i, 1, i);
    execute("COMMIT");
    const auto last = reader->first("SELECT MAX(round) FROM things", {}, [](const Row& row) { return row.integer(0); });
    EXPECT_EQ(*last.value(), i);
  }
}

TEST_F(SqliteLogFile, holds_what_outgrew_memory_and_was_written_twice) {
  execute("PRAGMA cache_size = 10; PRAGMA cache_spill = 10");
  execute("BEGIN");
  put(1, 300, 1);
  put(1, 300, 2);  // pages that are in the log already, uncommitted
  put(100, 3, 3);
  execute("COMMIT");
  std::vector<std::int64_t> expected(300, 2);
  std::fill_n(expected.begin() + 99, 3, 3);
  EXPECT_EQ(rounds(left_behind()), expected);
  EXPECT_EQ(look(file(), "SELECT round FROM things ORDER BY id"), expected);
}

TEST_F(SqliteLogFile, forgets_what_was_taken_back) {
  execute("PRAGMA cache_size = 10; PRAGMA cache_spill = 10");
  put(1, 5, 1);
  for (const char* end : {"ROLLBACK", "COMMIT"}) {
    execute("BEGIN");
    put(1, 200, 2);
    execute("SAVEPOINT part");
    put(1, 200, 3);
    execute("ROLLBACK TO part");
    execute(end);
    put(300, 1, 4);
  }
  std::vector<std::int64_t> expected(200, 2);
  expected.push_back(4);
  EXPECT_EQ(rounds(left_behind()), expected);
}

TEST_F(SqliteLogFile, goes_on_after_the_log_began_anew) {
  for (int round = 1; round <= 5; ++round) {
    execute("BEGIN");
    put(1, 40, round);
    execute("COMMIT");
    execute("PRAGMA wal_checkpoint(RESTART)");
    put(round, 1, 10 * round);
  }
  std::vector<std::int64_t> expected(40, 5);
  expected[4] = 50;
  EXPECT_EQ(rounds(left_behind()), expected);
}

TEST_F(SqliteLogFile, gives_way_to_another_writer) {
  const auto other = SqliteConnection::open(file(), Mode::writer).value();
  for (int i = 0; i < 20; ++i) {
    put(2 * i, 1, 1);
    ASSERT_TRUE(other->run("INSERT INTO things VALUES (?, 2, randomblob(?))", {2 * i + 1, kBytes}).ok());
  }
  EXPECT_EQ(look(file(), "SELECT COUNT(*) FROM things").front(), 40);
  EXPECT_EQ(rounds(left_behind()).size(), 40u);
}

}  // namespace
}  // namespace slipway::catalog

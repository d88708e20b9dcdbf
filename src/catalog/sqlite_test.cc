// What only the SQLite backend promises: when it syncs, who may read its file, what happens when the disk is full.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <latch>

#include "base/file.h"
#include "catalog/catalog.h"

namespace slipway::catalog {
namespace {

const std::vector<Migration>& tables() {
  static const std::vector<Migration> all = {
      {.number = 1, .name = "0001_things", .sql = "CREATE TABLE things (id BIGINT PRIMARY KEY, bytes {blob});"}};
  return all;
}

Write insert(std::int64_t id, size_t bytes = 0) {
  return [id, bytes](Connection& c) -> Result<void> {
    TRY(c.run("INSERT INTO things VALUES (?, ?)", {id, Blob{std::string(bytes, 'x')}}));
    return {};
  };
}

class Sqlite : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "test.db"; }
  std::unique_ptr<Database> open(DatabaseOptions options = {}) {
    options.url = "sqlite:" + file().string();
    return Database::open(options, tables(), counters_).value();
  }
  std::int64_t count(Database& database) {
    return *database
                .read_value([](Connection& c) {
                  return c.first("SELECT COUNT(*) FROM things", {}, [](const Row& row) { return row.integer(0); });
                })
                .value();
  }
  std::uint64_t syncs() { return counters_.counter("catalog_syncs_total", "").value(); }

  TemporaryDirectory folder_;
  Counters counters_;
};

TEST_F(Sqlite, records_are_synced_before_they_are_acknowledged_and_streams_soon_after) {
  auto database = open({.stream_sync_interval = std::chrono::milliseconds(20)});
  const auto before = syncs();
  ASSERT_TRUE(database->write(Durability::record, insert(1)).ok());
  EXPECT_EQ(syncs(), before + 1);
  ASSERT_TRUE(database->write(Durability::stream, insert(2)).ok());
  for (int i = 0; i < 500 && syncs() == before + 1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(syncs(), before + 2);
}

TEST_F(Sqlite, full_durability_syncs_streams_before_they_are_acknowledged) {
  auto database = open({.sync_streams = true});
  const auto before = syncs();
  ASSERT_TRUE(database->write(Durability::stream, insert(1)).ok());
  EXPECT_GT(syncs(), before);
}

TEST_F(Sqlite, nobody_else_may_read_the_files) {
  auto database = open();
  ASSERT_TRUE(database->write(Durability::record, insert(1)).ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info {};
    ASSERT_EQ(::stat((file().string() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 077, 0u) << suffix;
  }
}

TEST_F(Sqlite, the_log_stays_bounded_under_steady_writing) {
  auto database = open();
  constexpr int kWrites = 3'000, kBytes = 50'000;  // 150 MB in all
  std::latch done(kWrites);
  for (int i = 0; i < kWrites; ++i)
    database->write(Durability::stream, insert(i, kBytes), [&](Result<void>) { done.count_down(); });
  done.wait();
  EXPECT_EQ(count(*database), kWrites);
  EXPECT_LT(std::filesystem::file_size(file().string() + "-wal"), 70u << 20);
}

TEST_F(Sqlite, a_backup_is_whole_while_writing_goes_on) {
  auto database = open();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::int64_t i = 0; !stop; i += 2) {
      (void)database->write(Durability::stream, Write([i](Connection& c) -> Result<void> {
                              TRY(insert(i, 20'000)(c));
                              return insert(i + 1, 20'000)(c);
                            }));
    }
  });
  while (count(*database) < 100) std::this_thread::yield();
  const auto copy = folder_.path() / "copy.db";
  const auto result = database->backup(copy);
  stop = true;
  writer.join();
  ASSERT_TRUE(result.ok()) << result.error().message;

  auto restored = Database::open({.url = "sqlite:" + copy.string()}, tables(), counters_).value();
  EXPECT_GE(count(*restored), 100);
  EXPECT_EQ(count(*restored) % 2, 0);
  struct stat info {};
  ASSERT_EQ(::stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077, 0u);
}

TEST_F(Sqlite, a_backup_replaces_nothing_and_a_failed_one_leaves_nothing) {
  auto database = open();
  ASSERT_TRUE(write_file_atomic(folder_.path() / "mine", "precious").ok());
  EXPECT_EQ(database->backup(folder_.path() / "mine").error().code, ErrorCode::already_exists);
  EXPECT_EQ(read_file(folder_.path() / "mine").value(), "precious");
  EXPECT_EQ(database->backup(folder_.path() / "nowhere" / "copy.db").error().code, ErrorCode::not_found);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().string().find("unfinished"), std::string::npos);
  }
}

TEST_F(Sqlite, what_is_no_database_is_refused_with_a_sentence) {
  ASSERT_TRUE(write_file_atomic(file(), std::string(10'000, 'x')).ok());
  const auto result = Database::open({.url = "sqlite:" + file().string()}, tables(), counters_);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::data_loss);
  EXPECT_NE(result.error().message.find(file().string()), std::string::npos) << result.error().message;
}

TEST_F(Sqlite, urls_that_name_nothing_are_refused) {
  for (const char* url : {"", "sqlite:", "sqlite::memory:", "mysql://me:secret@host/db", "/path/file.db"}) {
    const auto result = Database::open({.url = url}, tables(), counters_);
    ASSERT_FALSE(result.ok()) << url;
    EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(result.error().message.find("secret"), std::string::npos);
  }
}

TEST_F(Sqlite, a_full_database_says_so_to_the_statement_and_recovers) {
  auto database = open();
  const auto limit = [&](const std::string& pages) {
    ASSERT_TRUE(database
                    ->write(Durability::stream, Write([&](Connection& c) -> Result<void> {
                              TRY(c.run("PRAGMA max_page_count = " + pages, {}));
                              return {};
                            }))
                    .ok());
  };
  limit("30");
  EXPECT_EQ(database->write(Durability::record, insert(1, 1'000'000)).error().code, ErrorCode::busy);
  EXPECT_TRUE(database->write(Durability::record, insert(2)).ok());
  limit("1000000");
  EXPECT_TRUE(database->write(Durability::record, insert(1, 1'000'000)).ok());
  EXPECT_EQ(count(*database), 2);
}

void limit_file_size(rlim_t bytes) {
  rlimit limit{bytes, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

/// In a child of its own, because the limit is the process's: fills the "disk" while a group commits. Returns its exit
/// code: 0, or the number of the step that went wrong.
int fill_disk(const std::string& url) {
  ::signal(SIGXFSZ, SIG_IGN);
  Counters counters;
  auto database = Database::open({.url = url}, tables(), counters).value();
  if (!database->write(Durability::record, insert(1)).ok()) return 1;
  std::latch inside(1), go(1), done(4);
  database->write(
      Durability::stream,
      [&](Connection&) -> Result<void> {
        inside.count_down();
        go.wait();
        return {};
      },
      [&](Result<void>) { done.count_down(); });
  inside.wait();
  std::atomic<int> refused{0};
  for (int i = 2; i < 5; ++i) {
    database->write(Durability::record, insert(i, 300'000), [&](Result<void> result) {
      refused += !result.ok();
      done.count_down();
    });
  }
  limit_file_size(250'000);  // less than any one of them needs, however they are grouped
  go.count_down();
  done.wait();
  if (refused != 3) return 2;
  limit_file_size(RLIM_INFINITY);
  if (!database->write(Durability::record, insert(9)).ok()) return 3;
  const auto ids = database->read_value([](Connection& c) {
    return c.rows("SELECT id FROM things ORDER BY id", {}, [](const Row& row) { return row.integer(0); });
  });
  return ids.value() == std::vector<std::int64_t>{1, 9} ? 0 : 4;
}

TEST_F(Sqlite, when_a_commit_fails_everybody_in_the_group_is_told_and_later_writes_work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(fill_disk("sqlite:" + file().string()));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "the step that went wrong";
}

}  // namespace
}  // namespace slipway::catalog

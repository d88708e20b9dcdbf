#include "api/backups.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"

namespace slipway::api {
namespace {

/// A database and a store of their own, and a clock that the test owns.
class BackupsTest : public testing::Test {
 protected:
  BackupsTest()
      : database(catalog::Database::open({.url = "sqlite:" + (folder.path() / "test.db").string()}, catalog::schema(),
                                         counters)
                     .value()),
        store(store::Store::open({.folder = folder.path() / "store"}, clock, counters).value()) {}

  std::unique_ptr<Backups> open(std::uint64_t disk_free_bytes_min = 0) {
    return std::make_unique<Backups>(*database, *store, folder.path() / "backups", disk_free_bytes_min, clock,
                                     [this] { ++settled; });
  }
  /// Waits for the thread that copies.
  static Backup when_copied(Backups& backups, const std::string& id) {
    Backup backup = backups.find(id).value();
    while (backup.state == Backup::State::copying) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      backup = backups.find(id).value();
    }
    return backup;
  }
  size_t files() const {
    std::error_code none;
    size_t count = 0;
    for (auto at = std::filesystem::directory_iterator(folder.path() / "backups", none);
         at != std::filesystem::directory_iterator(); ++at)
      ++count;
    return count;
  }
  Result<store::SweepReport> sweep() {
    return store->sweep([](const Hash&) -> Result<bool> { return false; }, false);
  }

  TemporaryDirectory folder;
  FakeClock clock;
  Counters counters;
  std::atomic<int> settled{0};
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<store::Store> store;
};

TEST_F(BackupsTest, a_copy_is_the_database_after_what_waited_for_it_and_pauses_sweeps_until_it_ends) {
  auto backups = open();
  const Backup copied = when_copied(*backups, backups->begin().value().id);
  ASSERT_EQ(copied.state, Backup::State::ready) << copied.problem;
  EXPECT_EQ(settled, 1);
  const std::string bytes = read_file(copied.database).value();
  EXPECT_EQ(bytes.size(), copied.database_bytes);
  EXPECT_EQ(hash_of(bytes), copied.database_hash);
  EXPECT_EQ(sweep().error().code, ErrorCode::busy);
  ASSERT_TRUE(backups->end(copied.id).ok());
  EXPECT_TRUE(sweep().ok());
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(backups->find(copied.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(backups->end(copied.id).error().code, ErrorCode::not_found);
}

TEST_F(BackupsTest, one_that_nobody_asks_about_gives_way_to_the_next_and_one_that_is_asked_about_stays) {
  auto backups = open();
  const std::string kept = backups->begin().value().id, left_alone = backups->begin().value().id;
  when_copied(*backups, kept);
  when_copied(*backups, left_alone);
  EXPECT_EQ(backups->begin().error().code, ErrorCode::busy);
  clock.advance(kBackupIdleMax - std::chrono::seconds(1));
  EXPECT_TRUE(backups->find(kept).ok());
  clock.advance(std::chrono::seconds(2));
  const auto next = backups->begin();
  ASSERT_TRUE(next.ok()) << next.error().message;
  when_copied(*backups, next->id);
  EXPECT_TRUE(backups->find(kept).ok());
  EXPECT_EQ(backups->find(left_alone).error().code, ErrorCode::not_found);
  EXPECT_EQ(files(), 2u);
}

TEST_F(BackupsTest, copies_of_a_server_that_was_killed_are_removed_and_no_copy_outlives_its_server) {
  ASSERT_TRUE(make_directories(folder.path() / "backups").ok());
  ASSERT_TRUE(write_file_atomic(folder.path() / "backups" / "old.db", "left behind").ok());
  auto backups = open();
  EXPECT_EQ(files(), 0u);
  when_copied(*backups, backups->begin().value().id);
  EXPECT_EQ(files(), 1u);
  backups.reset();
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(sweep().ok());
}

TEST_F(BackupsTest, a_copy_that_has_no_room_is_refused_before_it_is_begun) {
  auto backups = open(UINT64_MAX / 2);
  const auto refused = backups->begin();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::busy);
  EXPECT_NE(refused.error().message.find("make room"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(sweep().ok());
}

}  // namespace
}  // namespace slipway::api

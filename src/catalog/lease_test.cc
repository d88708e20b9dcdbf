#include "catalog/lease.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::catalog {
namespace {

constexpr Duration kLength = std::chrono::seconds(6);

class LeaseTest : public testing::Test {
 protected:
  LeaseTest() {
    database = Database::open({.url = "sqlite:" + (folder.path() / "db").string()}, schema(), counters).value();
  }

  TemporaryDirectory folder;
  Counters counters;
  FakeClock clock;
  std::unique_ptr<Database> database;
};

TEST_F(LeaseTest, one_holds_it_and_the_others_do_not) {
  Lease first(*database, "triggers", kLength), second(*database, "triggers", kLength),
      other(*database, "sweeps", kLength);
  EXPECT_TRUE(first.hold(clock.now()));
  EXPECT_FALSE(second.hold(clock.now()));
  EXPECT_TRUE(first.hold(clock.now()));
  EXPECT_TRUE(other.hold(clock.now()));
}

TEST_F(LeaseTest, it_stays_with_whoever_keeps_asking) {
  Lease first(*database, "triggers", kLength), second(*database, "triggers", kLength);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(first.hold(clock.now())) << i;
    EXPECT_FALSE(second.hold(clock.now())) << i;
    clock.advance(std::chrono::seconds(1));
  }
}

TEST_F(LeaseTest, the_next_one_takes_it_once_it_ran_out) {
  Lease first(*database, "triggers", kLength), second(*database, "triggers", kLength);
  EXPECT_TRUE(first.hold(clock.now()));
  clock.advance(kLength + Duration(1));
  EXPECT_TRUE(second.hold(clock.now()));
  EXPECT_FALSE(first.hold(clock.now()));
}

TEST_F(LeaseTest, it_is_given_back_at_the_end) {
  Lease second(*database, "triggers", kLength);
  {
    Lease first(*database, "triggers", kLength);
    EXPECT_TRUE(first.hold(clock.now()));
    EXPECT_FALSE(second.hold(clock.now()));
  }
  EXPECT_TRUE(second.hold(clock.now()));
}

}  // namespace
}  // namespace slipway::catalog

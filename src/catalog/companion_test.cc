#include "catalog/companion.h"

#include <thread>

#include "catalog/conformance.h"

namespace slipway::catalog {
namespace {

Write insert_thing(std::int64_t id) {
  return [id](Connection& c) -> Result<void> {
    TRY(c.run("INSERT INTO things(id) VALUES (?)", {id}));
    return {};
  };
}

TEST_P(Conformance, a_companion_is_committed_with_each_write_of_its_thread_and_with_no_other) {
  auto database = open();
  {
    std::int64_t next = 100;
    const WriteCompanion companion([&next](Connection& c) { return insert_thing(next++)(c); });
    ASSERT_TRUE(database->write(Durability::record, insert_thing(1)).ok());
    ASSERT_TRUE(database->write(Durability::stream, insert_thing(2)).ok());
    std::thread([&] { ASSERT_TRUE(database->write(Durability::record, insert_thing(3)).ok()); }).join();
  }
  ASSERT_TRUE(database->write(Durability::record, insert_thing(4)).ok());
  EXPECT_EQ(count(*database), 4 + 2);
}

TEST_P(Conformance, a_companion_and_its_write_fail_together) {
  auto database = open();
  {
    const WriteCompanion companion(insert_thing(100));
    EXPECT_FALSE(database
                     ->write(Durability::record,
                             [](Connection&) -> Result<void> {
                               return Error{ErrorCode::not_found, "no such thing"};
                             })
                     .ok());
    EXPECT_EQ(count(*database), 0);
  }
  const WriteCompanion refuses([](Connection&) -> Result<void> {
    return Error{ErrorCode::unavailable, "not yours any more"};
  });
  const auto refused = database->write(Durability::record, insert_thing(1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "not yours any more");
  EXPECT_EQ(count(*database), 0);
}

TEST_P(Conformance, companions_nest_and_end_one_by_one) {
  auto database = open();
  const WriteCompanion outer([next = std::int64_t{100}](Connection& c) mutable { return insert_thing(next++)(c); });
  {
    const WriteCompanion inner(insert_thing(200));
    ASSERT_TRUE(database->write(Durability::record, insert_thing(1)).ok());
    EXPECT_EQ(count(*database), 3);
  }
  ASSERT_TRUE(database->write(Durability::record, insert_thing(2)).ok());
  EXPECT_EQ(count(*database), 5);
}

}  // namespace
}  // namespace slipway::catalog

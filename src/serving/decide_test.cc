#include "serving/decide.h"

#include <gtest/gtest.h>

namespace slipway::serving {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr Time kNow{1'000'000'000};

int sent(const BatchDecision& decision) {
  return std::holds_alternative<Send>(decision) ? std::get<Send>(decision).count : 0;
}

TEST(Batch, without_batching_every_request_goes_at_once) {
  EXPECT_EQ(sent(decide_batch({1, {}}, 5, kNow, kNow, true)), 1);
  EXPECT_EQ(sent(decide_batch({1, {}}, 5, kNow, kNow, false)), 1);
  EXPECT_TRUE(std::holds_alternative<Idle>(decide_batch({1, {}}, 0, kNow, kNow, true)));
}

TEST(Batch, the_first_waits_for_others_but_not_longer_than_the_delay) {
  const BatchLimits limits{8, milliseconds(2)};
  const auto waits = decide_batch(limits, 3, kNow, kNow + milliseconds(1), true);
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(waits));
  EXPECT_EQ(std::get<WaitUntil>(waits).time, kNow + milliseconds(2));
  EXPECT_EQ(sent(decide_batch(limits, 3, kNow, kNow + milliseconds(2), true)), 3);
  EXPECT_EQ(sent(decide_batch(limits, 9, kNow, kNow, true)), 8);
}

TEST(Batch, a_busy_replica_is_only_given_what_cannot_grow) {
  EXPECT_TRUE(std::holds_alternative<Idle>(decide_batch({8, {}}, 3, kNow, kNow + seconds(1), false)));
  EXPECT_EQ(sent(decide_batch({8, {}}, 8, kNow, kNow, false)), 8);
}

TEST(Scale, stays_between_its_limits) {
  EXPECT_EQ(replicas_wanted({2, 4}, {.replicas = 0}), 2);
  EXPECT_EQ(replicas_wanted({0, 4}, {.replicas = 0}), 0);
  EXPECT_EQ(replicas_wanted({0, 4}, {.replicas = 0, .waiting = 1}), 1);
  EXPECT_EQ(replicas_wanted({0, 2}, {.replicas = 3}), 2);
}

TEST(Scale, grows_one_by_one_while_requests_wait_and_shrinks_when_nobody_comes) {
  EXPECT_EQ(replicas_wanted({1, 4}, {.replicas = 1, .waiting = 9, .oldest_wait = seconds(1)}), 2);
  EXPECT_EQ(replicas_wanted({1, 4}, {.replicas = 2, .starting = 1, .waiting = 9, .oldest_wait = seconds(1)}), 2);
  EXPECT_EQ(replicas_wanted({1, 4}, {.replicas = 3, .idle = seconds(61)}), 2);
  EXPECT_EQ(replicas_wanted({1, 4}, {.replicas = 1, .idle = seconds(61)}), 1);
}

TEST(Restart, waits_twice_as_long_each_time_up_to_a_limit) {
  EXPECT_EQ(restart_delay(0), Duration(0));
  EXPECT_EQ(restart_delay(1), milliseconds(100));
  EXPECT_EQ(restart_delay(3), milliseconds(400));
  EXPECT_EQ(restart_delay(1000), seconds(30));
}

}  // namespace
}  // namespace slipway::serving

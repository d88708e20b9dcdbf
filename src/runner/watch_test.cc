#include "runner/watch.h"

#include <gtest/gtest.h>

namespace slipway::runner {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Time kStart{1'000'000'000};

WatchFacts facts() { return {kStart, kStart, {}, {}, false, {}, AttemptEnd::exited}; }

TEST(Watch, without_limits_it_waits_for_ever) {
  const auto decision = decide(Limits(), facts(), kStart + hours(1000));
  ASSERT_TRUE(std::holds_alternative<Wait>(decision));
  EXPECT_EQ(std::get<Wait>(decision).until, Time{INT64_MAX});
}

TEST(Watch, the_time_limit_ends_it_once_it_is_reached) {
  Limits limits;
  limits.time = hours(6);
  EXPECT_EQ(std::get<Wait>(decide(limits, facts(), kStart)).until, kStart + hours(6));
  EXPECT_EQ(std::get<Terminate>(decide(limits, facts(), kStart + hours(6))).why, AttemptEnd::time_limit);
}

TEST(Watch, output_puts_off_the_silence_limit) {
  Limits limits;
  limits.silence = minutes(20);
  WatchFacts now = facts();
  now.last_output = kStart + minutes(15);
  EXPECT_EQ(std::get<Wait>(decide(limits, now, kStart + minutes(30))).until, kStart + minutes(35));
  EXPECT_EQ(std::get<Terminate>(decide(limits, now, kStart + minutes(35))).why, AttemptEnd::silence_limit);
}

TEST(Watch, stop_comes_before_limits_and_its_grace_is_kept) {
  Limits limits;
  limits.time = seconds(1);
  limits.grace = seconds(10);
  WatchFacts now = facts();
  now.stop_asked = kStart + seconds(5);
  now.stop_grace = seconds(2);
  EXPECT_EQ(std::get<Terminate>(decide(limits, now, kStart + seconds(5))).why, AttemptEnd::stopped);
  now.terminated = kStart + seconds(5);
  now.why = AttemptEnd::stopped;
  EXPECT_EQ(std::get<Wait>(decide(limits, now, kStart + seconds(6))).until, kStart + seconds(7));
  EXPECT_TRUE(std::holds_alternative<Kill>(decide(limits, now, kStart + seconds(7))));
}

TEST(Watch, too_much_memory_ends_it_without_grace) {
  Limits limits;
  limits.grace = hours(1);
  WatchFacts now = facts();
  now.is_over_memory = true;
  EXPECT_TRUE(std::holds_alternative<Kill>(decide(limits, now, kStart)));
}

TEST(Watch, after_a_limit_the_steps_own_grace_counts) {
  Limits limits;
  limits.time = seconds(1);
  limits.grace = seconds(10);
  WatchFacts now = facts();
  now.terminated = kStart + seconds(1);
  now.why = AttemptEnd::time_limit;
  now.stop_grace = seconds(0);
  EXPECT_TRUE(std::holds_alternative<Wait>(decide(limits, now, kStart + seconds(10))));
  EXPECT_TRUE(std::holds_alternative<Kill>(decide(limits, now, kStart + seconds(11))));
}

}  // namespace
}  // namespace slipway::runner

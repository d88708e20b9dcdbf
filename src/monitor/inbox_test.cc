#include "monitor/inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace slipway::monitor {
namespace {

using std::chrono::steady_clock;

TEST(Inbox, has_room_for_so_many_and_for_so_many_bytes) {
  Inbox inbox;
  EXPECT_TRUE(inbox.reserve(kMonitorWaitingBytesMax));
  EXPECT_FALSE(inbox.reserve(1));
  inbox.give_back(kMonitorWaitingBytesMax);
  for (size_t i = 0; i < kMonitorWaitingMax; ++i) ASSERT_TRUE(inbox.reserve(1)) << i;
  EXPECT_FALSE(inbox.reserve(1));
}

TEST(Inbox, taking_makes_room_again) {
  Inbox inbox;
  for (size_t i = 0; i < kMonitorWaitingMax; ++i) {
    ASSERT_TRUE(inbox.reserve(7));
    inbox.put({}, 7);
  }
  EXPECT_EQ(inbox.take(steady_clock::now()).served.size(), kMonitorWaitingMax);
  EXPECT_TRUE(inbox.reserve(kMonitorWaitingBytesMax));
}

TEST(Inbox, a_task_comes_with_everything_that_was_put_in_before_it) {
  Inbox inbox;
  ASSERT_TRUE(inbox.reserve(1));
  inbox.put({}, 1);
  ASSERT_TRUE(inbox.run([] {}));
  const auto taken = inbox.take(steady_clock::now() + std::chrono::seconds(10));
  EXPECT_EQ(taken.served.size(), 1u);
  EXPECT_EQ(taken.tasks.size(), 1u);
}

TEST(Inbox, wakes_its_thread_and_ends_when_it_is_closed) {
  Inbox inbox;
  size_t got = 0;
  std::thread reader([&] {
    for (;;) {
      const auto taken = inbox.take(steady_clock::now() + std::chrono::seconds(30));
      if (taken.closed) return;
      got += taken.served.size();
    }
  });
  for (int i = 0; i < 1000; ++i) {
    while (!inbox.reserve(1)) std::this_thread::yield();
    inbox.put({}, 1);
  }
  inbox.close();
  reader.join();
  EXPECT_EQ(got, 1000u);
  EXPECT_FALSE(inbox.run([] {}));
}

}  // namespace
}  // namespace slipway::monitor

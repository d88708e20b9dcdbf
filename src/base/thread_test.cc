#include "base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <latch>

namespace slipway {
namespace {

TEST(Thread, has_its_name_cut_to_what_the_kernel_keeps) {
  char name[32] = "";
  {
    Thread thread("db-writer-0-and-more", [&] { pthread_getname_np(pthread_self(), name, sizeof name); });
  }
  EXPECT_STREQ(name, "db-writer-0-and");
}

TEST(Thread, is_joined_by_its_owner_also_when_replaced) {
  std::atomic<int> ended{0};
  const auto body = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ++ended;
  };
  {
    Thread thread("a", body);
    thread = Thread("b", body);
    EXPECT_GE(ended, 1);
  }
  EXPECT_EQ(ended, 2);
}

TEST(ThreadPool, a_full_pool_refuses_and_counts_it) {
  Counters counters;
  std::latch inside(1), go(1);
  std::atomic<int> done{0};
  {
    ThreadPool pool("disk", 1, 2, counters);
    ASSERT_TRUE(pool.submit([&] {
      inside.count_down();
      go.wait();
      ++done;
    }));
    inside.wait();
    EXPECT_TRUE(pool.submit([&] { ++done; }));
    EXPECT_TRUE(pool.submit([&] { ++done; }));
    EXPECT_FALSE(pool.submit([&] { ++done; }));
    EXPECT_EQ(counters.counter("pool_refused_total", "", {{"pool", "disk"}}).value(), 1u);
    EXPECT_EQ(counters.gauge("pool_waiting", "", {{"pool", "disk"}}).value(), 2);
    go.count_down();
  }
  EXPECT_EQ(done, 3);  // what was queued is run before the pool goes
  EXPECT_EQ(counters.gauge("pool_waiting", "", {{"pool", "disk"}}).value(), 0);
}

TEST(ThreadPool, tasks_run_side_by_side) {
  Counters counters;
  ThreadPool pool("disk", 3, 10, counters);
  std::latch together(3), done(3);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      together.arrive_and_wait();  // only passes when all three run at once
      done.count_down();
    }));
  }
  done.wait();
}

}  // namespace
}  // namespace slipway

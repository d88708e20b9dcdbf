#include "base/queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace slipway {
namespace {

TEST(Queue, gives_what_it_took_in_order) {
  BoundedQueue<int> queue(10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.try_push(int{i}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), i);
}

TEST(Queue, a_full_queue_refuses_and_leaves_the_item_alone) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
  auto item = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(std::move(item)));
  ASSERT_NE(item, nullptr);  // NOLINT(bugprone-use-after-move): what is left is the promise
  EXPECT_EQ(queue.size(), 1u);
}

TEST(Queue, a_closed_queue_refuses_and_drains) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  queue.close();
  EXPECT_FALSE(queue.try_push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop_all(10), std::vector<int>{2});
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_TRUE(queue.pop_all(10).empty());
}

TEST(Queue, pop_all_takes_what_waits_up_to_its_limit) {
  BoundedQueue<int> queue(10);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(queue.try_push(int{i}));
  EXPECT_EQ(queue.pop_all(3), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(queue.pop_all(3), (std::vector<int>{3, 4}));
}

TEST(Queue, close_wakes_everybody_who_waits) {
  BoundedQueue<int> queue(1);
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) waiting.emplace_back([&] { EXPECT_EQ(queue.pop(), std::nullopt); });
  queue.close();
  for (auto& thread : waiting) thread.join();
}

TEST(Queue, nothing_is_lost_or_doubled_between_threads) {
  BoundedQueue<int> queue(64);
  constexpr int kEach = 5'000;
  std::atomic<long> sum{0};
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int c = 0; c < 3; ++c) {
    threads.emplace_back([&] {
      while (auto item = queue.pop()) sum += *item, ++count;
    });
  }
  std::vector<std::thread> producers;
  for (int p = 0; p < 3; ++p) {
    producers.emplace_back([&] {
      for (int i = 1; i <= kEach; ++i) {
        while (!queue.try_push(int{i})) std::this_thread::yield();
      }
    });
  }
  for (auto& thread : producers) thread.join();
  queue.close();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 3 * kEach);
  EXPECT_EQ(sum, 3L * kEach * (kEach + 1) / 2);
}

}  // namespace
}  // namespace slipway

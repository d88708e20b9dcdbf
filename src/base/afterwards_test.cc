#include "base/afterwards.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace slipway {
namespace {

TEST(Afterwards, actions_wait_for_the_end_of_the_outermost_and_keep_their_order) {
  std::string done;
  {
    const Afterwards outer;
    Afterwards::run([&] { done += 'a'; });
    {
      const Afterwards inner;
      Afterwards::run([&] { done += 'b'; });
    }
    Afterwards::run([&] { done += 'c'; });
    EXPECT_EQ(done, "");
  }
  EXPECT_EQ(done, "abc");
}

TEST(Afterwards, without_one_an_action_runs_at_once) {
  std::string done;
  Afterwards::run([&] { done += 'a'; });
  EXPECT_EQ(done, "a");
}

TEST(Afterwards, what_an_action_brings_about_does_not_wait_again) {
  std::string done;
  {
    const Afterwards outer;
    Afterwards::run([&] {
      Afterwards::run([&] { done += 'b'; });
      done += 'a';
    });
  }
  EXPECT_EQ(done, "ba");
}

TEST(Afterwards, other_threads_do_not_wait) {
  std::string done;
  const Afterwards mine;
  std::thread([&] { Afterwards::run([&] { done += 'a'; }); }).join();
  EXPECT_EQ(done, "a");
}

}  // namespace
}  // namespace slipway

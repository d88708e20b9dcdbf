#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <type_traits>
#include <vector>

namespace slipway {
namespace {

using RunId = Id<struct RunTag>;
using ModelId = Id<struct ModelTag>;
static_assert(!std::is_convertible_v<RunId, ModelId> && !std::is_convertible_v<std::string, RunId>);

TEST(Ids, are_26_characters_that_look_like_an_id_and_run_ids_32_hex_digits) {
  const std::string text = new_id_text(system_clock());
  EXPECT_EQ(text.size(), 26u);
  EXPECT_EQ(text.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), std::string::npos);
  EXPECT_TRUE(looks_like_id(text));
  const std::string hex = new_hex_id_text(system_clock());
  EXPECT_EQ(hex.size(), 32u);
  EXPECT_EQ(hex.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Ids, increase_strictly_even_when_the_clock_stands_still_or_goes_back) {
  FakeClock clock(Time{4'000'000'000'000'000});
  std::string last = new_id_text(clock);
  for (int i = 0; i < 10'000; ++i) {
    if (i == 3'000) clock.advance(std::chrono::milliseconds(-500));
    if (i == 6'000) clock.advance(std::chrono::seconds(5));
    const std::string next = new_id_text(clock);
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(Ids, carry_the_time_in_their_first_48_bits) {
  FakeClock clock(Time::from_millis(0x7012'3456'789A));
  EXPECT_EQ(new_hex_id_text(clock).substr(0, 12), "70123456789a");
}

TEST(Ids, of_many_threads_never_repeat) {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 5'000; ++i) mine.push_back(new_id_text(system_clock()));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 20'000u);
}

TEST(Ids, what_may_stand_in_a_url_is_told_apart) {
  for (std::string_view right : {"a", "run_1", "0", "A-b", "_x"}) EXPECT_TRUE(looks_like_id(right)) << right;
  for (std::string_view wrong : {"", "-a", "a/b", "..", "a b", "é", "a.b"}) EXPECT_FALSE(looks_like_id(wrong)) << wrong;
  EXPECT_TRUE(looks_like_id(std::string(256, 'a')));
  EXPECT_FALSE(looks_like_id(std::string(257, 'a')));
}

}  // namespace
}  // namespace slipway

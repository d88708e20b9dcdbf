#include "domain/units.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

TEST(Units, durations_carry_their_unit) {
  EXPECT_EQ(*parse_duration("6h"), hours(6));
  EXPECT_EQ(*parse_duration(" 20m "), minutes(20));
  EXPECT_EQ(*parse_duration("2ms"), milliseconds(2));
  EXPECT_EQ(*parse_duration("1h30m"), minutes(90));
  EXPECT_EQ(*parse_duration("0.5h"), minutes(30));
  for (const char* wrong : {"", "6", "h", "6x", "1m1h", "-1s", "1e400s", "nan s", "6h6h", "99999999999999d"}) {
    EXPECT_FALSE(parse_duration(wrong).ok()) << wrong;
  }
}

TEST(Units, durations_read_back_as_written) {
  for (std::int64_t micros : {0ll, 1ll, 1'000ll, 1'500'000ll, 5'400'000'000ll, 90'061'001'001ll}) {
    EXPECT_EQ(*parse_duration(render_duration(Duration(micros))), Duration(micros));
  }
  EXPECT_EQ(render_duration(minutes(90)), "1h30m");
}

TEST(Units, shares_are_percent_or_a_number_up_to_one) {
  EXPECT_DOUBLE_EQ(*parse_fraction("1%"), 0.01);
  EXPECT_DOUBLE_EQ(*parse_fraction("0.25"), 0.25);
  for (const char* wrong : {"", "%", "101%", "2", "-1%", "nan"}) EXPECT_FALSE(parse_fraction(wrong).ok()) << wrong;
}

}  // namespace
}  // namespace slipway

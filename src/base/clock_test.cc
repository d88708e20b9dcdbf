#include "base/clock.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(Clock, times_are_rendered_and_read_back) {
  EXPECT_EQ(render(Time{0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(render(Time{-1}), "1969-12-31T23:59:59.999999Z");
  for (std::int64_t micros : {std::int64_t{0}, std::int64_t{1'709'164'800'000'001},
                              std::int64_t{-62'000'000'000'000'000}, std::int64_t{253'402'300'799'999'999}}) {
    EXPECT_EQ(parse_time(render(Time{micros})).value().micros, micros);
  }
}

TEST(Clock, any_offset_and_any_number_of_digits_are_read) {
  const std::int64_t noon = parse_time("2026-03-01T12:00:00Z").value().micros;
  for (const char* same : {"2026-03-01T12:00:00.0Z", "2026-03-01t12:00:00z", "2026-03-01 12:00:00Z",
                           "2026-03-01T14:30:00+02:30", "2026-03-01T00:00:00-12:00"}) {
    EXPECT_EQ(parse_time(same).value().micros, noon) << same;
  }
  EXPECT_EQ(parse_time("2026-03-01T12:00:00.5Z").value().micros, noon + 500'000);
  EXPECT_EQ(parse_time("2026-03-01T12:00:00.123456789Z").value().micros, noon + 123'456);
}

TEST(Clock, what_is_no_time_is_refused_with_an_example) {
  for (const char* wrong :
       {"", "yesterday", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "2026-02-30T12:00:00Z",
        "2026-03-01T24:00:00Z", "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00Zx", "2026-03-01x12:00:00Z",
        "2026-03-01T12:00:00+0200", "2026-03-01T12:00:00+99:00", "2026-03-01T12:00:00+02x00", "-026-03-01T12:00:00Z"}) {
    const auto time = parse_time(wrong);
    ASSERT_FALSE(time.ok()) << wrong;
    EXPECT_EQ(time.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(time.error().message.find("2026-03-01T10:00:00Z"), std::string::npos);
  }
}

TEST(Clock, leap_days_exist_only_in_leap_years) {
  EXPECT_TRUE(parse_time("2024-02-29T00:00:00Z").ok());
  EXPECT_FALSE(parse_time("2025-02-29T00:00:00Z").ok());
}

TEST(Clock, a_fake_clock_stands_still_until_told) {
  FakeClock clock(Time{100});
  EXPECT_EQ(clock.now(), Time{100});
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(clock.now(), Time{1100});
  EXPECT_EQ(clock.steady() - Time{100}, Duration(1000));
}

TEST(Clock, the_steady_clock_never_goes_back) {
  Time last = system_clock().steady();
  for (int i = 0; i < 1000; ++i) {
    const Time next = system_clock().steady();
    EXPECT_LE(last, next);
    last = next;
  }
}

}  // namespace
}  // namespace slipway

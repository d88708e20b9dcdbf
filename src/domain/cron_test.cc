#include "domain/cron.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

std::string next(std::string_view cron, std::string_view after) {
  const auto schedule = parse_cron(cron);
  if (!schedule.ok()) return schedule.error().message;
  const auto at = next_time(*schedule, parse_time(after).value());
  return at ? render(*at).substr(0, 16) : "never";
}

std::string problem(std::string_view cron) {
  const auto schedule = parse_cron(cron);
  return schedule.ok() ? "none" : schedule.error().message;
}

TEST(Cron, a_time_of_day_comes_today_or_tomorrow) {
  EXPECT_EQ(next("0 3 * * *", "2026-03-01T02:59:59Z"), "2026-03-01T03:00");
  EXPECT_EQ(next("0 3 * * *", "2026-03-01T03:00:00Z"), "2026-03-02T03:00");
  EXPECT_EQ(next("30 23 * * *", "2026-12-31T23:30:00Z"), "2027-01-01T23:30");
}

TEST(Cron, steps_ranges_and_lists) {
  EXPECT_EQ(next("*/15 * * * *", "2026-03-01T10:16:00Z"), "2026-03-01T10:30");
  EXPECT_EQ(next("10-50/20 8-9 * * *", "2026-03-01T08:30:00Z"), "2026-03-01T08:50");
  EXPECT_EQ(next("10-50/20 8-9 * * *", "2026-03-01T09:50:00Z"), "2026-03-02T08:10");
  EXPECT_EQ(next("5,35 12 1,15 * *", "2026-03-02T00:00:00Z"), "2026-03-15T12:05");
}

TEST(Cron, names_of_months_and_weekdays) {
  EXPECT_EQ(next("0 0 * * mon", "2026-03-01T00:00:00Z"), "2026-03-02T00:00");  // the first of March 2026 is a Sunday
  EXPECT_EQ(next("0 0 1 JAN,jul *", "2026-03-01T00:00:00Z"), "2026-07-01T00:00");
  EXPECT_EQ(next("0 0 * * 7", "2026-03-01T00:00:00Z"), "2026-03-08T00:00");
  EXPECT_EQ(parse_cron("0 0 * * fri-sun").value(), parse_cron("0 0 * * 0,5,6").value());
  EXPECT_EQ(parse_cron("0 0 * * 5-7").value(), parse_cron("0 0 * * fri,sat,sun").value());
}

TEST(Cron, a_day_or_a_weekday_is_enough_when_both_are_restricted) {
  EXPECT_EQ(next("0 0 13 * fri", "2026-03-01T00:00:00Z"), "2026-03-06T00:00");
  EXPECT_EQ(next("0 0 13 * fri", "2026-03-06T00:00:00Z"), "2026-03-13T00:00");
  EXPECT_EQ(next("0 0 13 * *", "2026-03-01T00:00:00Z"), "2026-03-13T00:00");
  EXPECT_EQ(next("0 0 */2 * mon", "2026-03-01T00:00:00Z"), "2026-03-09T00:00");  // a star's step is no restriction
}

TEST(Cron, months_have_their_lengths) {
  EXPECT_EQ(next("0 0 31 * *", "2026-03-31T00:00:00Z"), "2026-05-31T00:00");
  EXPECT_EQ(next("0 0 29 feb *", "2097-01-01T00:00:00Z"), "2104-02-29T00:00");  // 2100 is no leap year
  EXPECT_EQ(problem("0 0 30 feb *"), "'0 0 30 feb *' never comes: no month it names has such a day");
}

TEST(Cron, the_last_time_is_found_however_long_ago) {
  const auto last = [](std::string_view cron, std::string_view until) {
    return render(last_time(parse_cron(cron).value(), parse_time(until).value()).value()).substr(0, 16);
  };
  EXPECT_EQ(last("* * * * *", "2026-03-01T10:16:30Z"), "2026-03-01T10:16");
  EXPECT_EQ(last("0 3 * * *", "2026-03-01T03:00:00Z"), "2026-03-01T03:00");
  EXPECT_EQ(last("0 3 * * *", "2026-03-01T02:59:59Z"), "2026-02-28T03:00");
  EXPECT_EQ(last("0 0 1 jan *", "2026-12-31T23:59:00Z"), "2026-01-01T00:00");
  EXPECT_EQ(last("0 0 29 feb *", "2104-01-01T00:00:00Z"), "2096-02-29T00:00");
}

TEST(Cron, what_is_wrong_is_said_by_field) {
  EXPECT_EQ(problem("0 3 * *"),
            "found 4 fields in '0 3 * *'; expected five: minute hour day month weekday, such as 0 3 * * *");
  EXPECT_EQ(problem("@daily"),
            "found 1 fields in '@daily'; expected five: minute hour day month weekday, such as 0 3 * * *");
  EXPECT_EQ(problem("60 3 * * *"), "'60' is no minute; expected 0 to 59");
  EXPECT_EQ(problem("0 25 * * *"), "'25' is no hour; expected 0 to 23");
  EXPECT_EQ(problem("0 3 0 * *"), "'0' is no day; expected 1 to 31");
  EXPECT_EQ(problem("0 3 * juin *"), "'juin' is no month; expected 1 to 12 or jan to dec");
  EXPECT_EQ(problem("0 3 * * 8"), "'8' is no weekday; expected 0 to 7 or sun to sat");
  EXPECT_EQ(problem("9-5 3 * * *"), "the range '9-5' of the minute goes backwards");
  EXPECT_EQ(problem("*/0 3 * * *"), "the step '0' of the minute is wrong; expected 1 to 59");
  EXPECT_EQ(problem("5/10 3 * * *"), "the step in '5/10' needs a range of the minute or *, such as */10");
  EXPECT_EQ(problem("1,,2 3 * * *"), "the minute has an empty part between commas");
  EXPECT_EQ(problem("-5 3 * * *"), "'-5' is no minute; expected 0 to 59");
  EXPECT_EQ(problem("1- 3 * * *"), "'' is no minute; expected 0 to 59");
}

}  // namespace
}  // namespace slipway

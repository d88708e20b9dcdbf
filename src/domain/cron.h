// When something starts by the clock: five fields as cron has them, in UTC. Pure.
//
//   minute hour day month weekday      0 3 * * *   at three o'clock every night
//                                      */15 8-17 * * mon-fri   every quarter of an hour while people work
//
// A field is a list of values, ranges and steps: `1,15`, `mon-fri`, `*/10`, `0-30/5`. Months and weekdays have names of
// three letters; Sunday is 0 and 7. When day and weekday are both restricted, either is enough, as cron has it.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace slipway {

struct CronSchedule {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     // 1 to 31
  std::bitset<13> months;   // 1 to 12
  std::bitset<7> weekdays;  // 0 is Sunday
  bool every_day = true;    // `*`, with or without a step
  bool every_weekday = true;

  bool operator==(const CronSchedule&) const = default;
};

/// invalid_argument names the field, what stands there and what it may be; also for a time that never comes (30
/// February).
Result<CronSchedule> parse_cron(std::string_view text);

/// The first minute after `after` that fits, in UTC. nullopt: none within kCronYearsMax years.
std::optional<Time> next_time(const CronSchedule& schedule, Time after);

/// The last minute at or before `until` that fits. nullopt: none within kCronYearsMax years.
std::optional<Time> last_time(const CronSchedule& schedule, Time until);

/// A leap day comes within eight years.
inline constexpr int kCronYearsMax = 9;

}  // namespace slipway

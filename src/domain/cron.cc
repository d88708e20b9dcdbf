#include "domain/cron.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/text.h"

namespace slipway {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

struct FieldRule {
  const char* name;
  int min, max;
  std::vector<std::string> names;  // the first one is `min`
};

const std::array<FieldRule, 5>& field_rules() {
  static const std::array<FieldRule, 5> rules = {{
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day", 1, 31, {}},
      {"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"weekday", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  }};
  return rules;
}

Error wrong(const FieldRule& rule, std::string_view found) {
  const std::string names =
      rule.names.empty() ? "" : fmt::format(" or {} to {}", rule.names.front(), rule.names.back());
  return {ErrorCode::invalid_argument, fmt::format("'{}' is no {}; expected {} to {}{}", clean_utf8(found, 40),
                                                   rule.name, rule.min, rule.max, names)};
}

Result<int> value_of(const FieldRule& rule, const std::string& text) {
  for (size_t i = 0; i < rule.names.size(); ++i) {
    if (equals_ignore_case(text, rule.names[i])) return rule.min + static_cast<int>(i);
  }
  const auto number = parse_i64(text);
  if (!number || *number < rule.min || *number > rule.max || text.front() == '+') return wrong(rule, text);
  return static_cast<int>(*number);
}

/// `*`, `5`, `1-5`, the last two numbers included.
Result<std::pair<int, int>> range_of(const FieldRule& rule, const std::string& text) {
  if (text == "*") return std::pair(rule.min, rule.max);
  const size_t dash = text.find('-', 1);
  const int first = TRY(value_of(rule, text.substr(0, dash)));
  if (dash == std::string::npos) return std::pair(first, first);
  int last = TRY(value_of(rule, text.substr(dash + 1)));
  if (last == 0 && first > 0 && rule.max == 7) last = 7;  // fri-sun
  if (last < first)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the range '{}' of the {} goes backwards", clean_utf8(text, 40), rule.name)};
  return std::pair(first, last);
}

/// One part of a list, with its step.
template <typename Set>
Result<void> read_part(const FieldRule& rule, const std::string& part, Set& into) {
  if (part.empty())
    return Error{ErrorCode::invalid_argument, fmt::format("the {} has an empty part between commas", rule.name)};
  const size_t slash = part.find('/');
  const std::string range_text = part.substr(0, slash);
  const auto [first, last] = TRY(range_of(rule, range_text.empty() ? "/" : range_text));
  std::int64_t step = 1;
  if (slash != std::string::npos) {
    const std::string text = part.substr(slash + 1);
    step = parse_i64(text).value_or(0);
    if (step < 1 || step > rule.max)
      return Error{ErrorCode::invalid_argument, fmt::format("the step '{}' of the {} is wrong; expected 1 to {}",
                                                            clean_utf8(text, 40), rule.name, rule.max)};
    if (first == last)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the step in '{}' needs a range of the {} or *, such as */{}", clean_utf8(part, 40),
                               rule.name, step)};
  }
  for (int value = first; value <= last; value += static_cast<int>(step))
    into.set(static_cast<size_t>(value) % into.size());
  return {};
}

template <typename Set>
Result<void> read_field(const FieldRule& rule, const std::string& text, Set& into) {
  for (const std::string& part : split(text, ',')) TRY(read_part(rule, part, into));
  return {};
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : std::string(text) + " ") {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  return out;
}

bool fits(const CronSchedule& schedule, sys_days day) {
  const std::chrono::year_month_day date(day);
  if (!schedule.months.test(static_cast<unsigned>(date.month()))) return false;
  const bool by_day = schedule.days.test(static_cast<unsigned>(date.day()));
  const bool by_weekday = schedule.weekdays.test(std::chrono::weekday(day).c_encoding());
  return schedule.every_day || schedule.every_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/// The first minute of the day, counted from its start, that fits and is not before `earliest`.
std::optional<int> minute_of_day(const CronSchedule& schedule, int earliest) {
  for (int minute = earliest; minute < 24 * 60; ++minute) {
    if (!schedule.hours.test(static_cast<size_t>(minute / 60))) {
      minute += 59 - minute % 60;
    } else if (schedule.minutes.test(static_cast<size_t>(minute % 60))) {
      return minute;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<CronSchedule> parse_cron(std::string_view text) {
  const std::vector<std::string> fields = words(text);
  if (fields.size() != field_rules().size()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("found {} fields in '{}'; expected five: minute hour day month weekday, such as 0 3 * * *",
                             fields.size(), clean_utf8(text, 80))};
  }
  CronSchedule schedule;
  const auto& rules = field_rules();
  TRY(read_field(rules[0], fields[0], schedule.minutes));
  TRY(read_field(rules[1], fields[1], schedule.hours));
  TRY(read_field(rules[2], fields[2], schedule.days));
  TRY(read_field(rules[3], fields[3], schedule.months));
  TRY(read_field(rules[4], fields[4], schedule.weekdays));
  schedule.every_day = fields[2].front() == '*';
  schedule.every_weekday = fields[4].front() == '*';
  if (!next_time(schedule, Time{0}))
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' never comes: no month it names has such a day", clean_utf8(text, 80))};
  return schedule;
}

std::optional<Time> next_time(const CronSchedule& schedule, Time after) {
  using std::chrono::minutes;
  const std::chrono::sys_time<Duration> from{Duration(after.micros)};
  const auto earliest = std::chrono::floor<minutes>(from) + minutes(1);
  const sys_days first_day = std::chrono::floor<days>(earliest);
  int minute = static_cast<int>((earliest - first_day).count());
  for (int i = 0; i <= kCronYearsMax * 366; ++i, minute = 0) {
    const sys_days day = first_day + days(i);
    if (!fits(schedule, day)) continue;
    if (const auto found = minute_of_day(schedule, minute)) {
      return Time{std::chrono::duration_cast<Duration>((day + minutes(*found)).time_since_epoch()).count()};
    }
  }
  return std::nullopt;
}

std::optional<Time> last_time(const CronSchedule& schedule, Time until) {
  using std::chrono::hours;
  // Further back only when nothing came nearer, so that few times lie in between.
  for (const hours span : {hours(1), hours(24), hours(24 * 32), hours(24 * 366), hours(24 * 366 * kCronYearsMax)}) {
    std::optional<Time> last;
    for (auto at = next_time(schedule, until - span); at && *at <= until; at = next_time(schedule, *at)) last = at;
    if (last) return last;
  }
  return std::nullopt;
}

}  // namespace slipway

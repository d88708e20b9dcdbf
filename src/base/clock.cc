#include "base/clock.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace slipway {
namespace {

class SystemClock : public Clock {
 public:
  Time now() const override {
    return {std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
  Time steady() const override {
    return {std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()).count()};
  }
};

bool two_digits(std::string_view text, size_t at, int& value) {
  if (at + 2 > text.size() || text[at] < '0' || text[at] > '9' || text[at + 1] < '0' || text[at + 1] > '9')
    return false;
  value = (text[at] - '0') * 10 + (text[at + 1] - '0');
  return true;
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

namespace {

char* put_digits(char* out, std::int64_t number, int width) {
  for (int i = width - 1; i >= 0; --i, number /= 10) out[i] = static_cast<char>('0' + number % 10);
  return out + width;
}

/// The same as below for years of four digits, in a tenth of the time: lists render thousands.
std::string render_usual(std::chrono::sys_days day, std::int64_t micros_of_day) {
  const std::chrono::year_month_day date(day);
  std::string text = "0000-00-00T00:00:00.000000Z";
  char* const at = text.data();
  put_digits(at, int{date.year()}, 4);
  put_digits(at + 5, unsigned{date.month()}, 2);
  put_digits(at + 8, unsigned{date.day()}, 2);
  const std::int64_t seconds = micros_of_day / 1'000'000;
  put_digits(at + 11, seconds / 3600, 2);
  put_digits(at + 14, seconds / 60 % 60, 2);
  put_digits(at + 17, seconds % 60, 2);
  put_digits(at + 20, micros_of_day % 1'000'000, 6);
  return text;
}

}  // namespace

std::string render(Time time) {
  constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
  constexpr Time kYear10000{253'402'300'800'000'000};
  if (time >= Time{0} && time < kYear10000) {
    const std::chrono::sys_days day{std::chrono::days(time.micros / kMicrosPerDay)};
    return render_usual(day, time.micros % kMicrosPerDay);
  }
  std::int64_t seconds = time.micros / 1'000'000;
  std::int64_t micros = time.micros % 1'000'000;
  if (micros < 0) {
    micros += 1'000'000;
    seconds -= 1;
  }
  const std::time_t whole = seconds;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(micros));
  return text;
}

Result<Time> parse_time(std::string_view text) {
  const auto wrong = [&] {
    return Error{
        ErrorCode::invalid_argument,
        "'" + std::string(text.substr(0, 64)) + "' is not an RFC 3339 time; expected for example 2026-03-01T10:00:00Z"};
  };
  int century = 0, year = 0;
  std::tm parts{};
  if (!two_digits(text, 0, century) || !two_digits(text, 2, year) || !two_digits(text, 5, parts.tm_mon) ||
      !two_digits(text, 8, parts.tm_mday) || !two_digits(text, 11, parts.tm_hour) ||
      !two_digits(text, 14, parts.tm_min) || !two_digits(text, 17, parts.tm_sec) || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' || text[16] != ':') {
    return wrong();
  }
  if (parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 ||
      parts.tm_min > 59 || parts.tm_sec > 60) {
    return wrong();
  }
  parts.tm_year = century * 100 + year - 1900;
  parts.tm_mon -= 1;
  size_t at = 19;
  std::int64_t micros = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t scale = 100'000;
    const size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      micros += (text[at] - '0') * scale;
    if (at == first) return wrong();
  }
  int offset_minutes = 0;
  if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    ++at;
  } else {
    int hours = 0, minutes = 0;
    if (at >= text.size() || (text[at] != '+' && text[at] != '-') || !two_digits(text, at + 1, hours) ||
        !two_digits(text, at + 4, minutes) || text[at + 3] != ':' || hours > 23 || minutes > 59) {
      return wrong();
    }
    offset_minutes = (hours * 60 + minutes) * (text[at] == '-' ? -1 : 1);
    at += 6;
  }
  if (at != text.size()) return wrong();
  const int day = parts.tm_mday, second = parts.tm_sec;
  const std::int64_t seconds = timegm(&parts) - std::int64_t{60} * offset_minutes;
  // timegm makes March 2 of February 30; a leap second may become the next minute.
  if (parts.tm_mday != day && second != 60) return wrong();
  return Time{seconds * 1'000'000 + micros};
}

}  // namespace slipway

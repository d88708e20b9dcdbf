#include "domain/units.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"

namespace slipway {
namespace {

struct Unit {
  std::string_view name;
  double micros;
};

constexpr std::array<Unit, 6> kUnits = {
    {{"d", 86'400e6}, {"h", 3'600e6}, {"m", 60e6}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}}};

constexpr double kDurationMicrosMax = 1e17;  // about 3,000 years: past it, sums of times could overflow

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const Error wrong{
      ErrorCode::invalid_argument,
      fmt::format("'{}' is not a duration; expected a number with a unit, such as 500ms, 20m, 6h or 1h30m",
                  clean_utf8(text, 64))};
  std::string_view rest = trim(text);
  if (rest.empty()) return wrong;
  double micros = 0, unit_before = 1e18;
  while (!rest.empty()) {
    const size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const auto amount = parse_double(rest.substr(0, digits));
    rest = trim(rest.substr(digits));
    const size_t letters = std::min(rest.find_first_of("0123456789. "), rest.size());
    const auto unit =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == rest.substr(0, letters); });
    if (!amount || unit == kUnits.end() || unit->micros >= unit_before) return wrong;
    micros += *amount * unit->micros;
    unit_before = unit->micros;
    rest = trim(rest.substr(letters));
  }
  if (!(micros <= kDurationMicrosMax)) return wrong;
  return Duration(std::llround(micros));
}

std::string render_duration(Duration duration) {
  std::int64_t left = duration.count();
  std::string text;
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::int64_t>(unit.micros);
    if (left >= size) text += fmt::format("{}{}", left / size, unit.name);
    left %= size;
  }
  return text.empty() ? "0s" : text;
}

Result<double> parse_fraction(std::string_view text) {
  std::string_view number = trim(text);
  const bool percent = number.ends_with('%');
  if (percent) number = trim(number.substr(0, number.size() - 1));
  const auto value = parse_double(number);
  const double fraction = value ? *value / (percent ? 100 : 1) : -1;
  if (!(fraction >= 0 && fraction <= 1)) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("'{}' is not a share; expected 0% to 100%, or a number from 0 to 1", clean_utf8(text, 64))};
  }
  return fraction;
}

}  // namespace slipway

// Durations as people write them: "2ms", "20m", "6h", "1h30m".
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace slipway {

/// One or more whole or decimal numbers, each with its unit (us, ms, s, m, h, d), largest unit first. A bare number is
/// refused: it does not say what it counts.
Result<Duration> parse_duration(std::string_view text);
/// The shortest text that reads back as the same duration: "1h30m", "2ms", "0s".
std::string render_duration(Duration duration);

/// "1%", "0.5 %", "0.01" -> 0.01. Between 0 and 1.
Result<double> parse_fraction(std::string_view text);

}  // namespace slipway

// Time is a parameter: code that decides takes a Clock, tests own one.
#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway {

using Duration = std::chrono::microseconds;

/// A moment: whole microseconds since 1970-01-01T00:00:00Z, as in storage.
struct Time {
  std::int64_t micros = 0;

  auto operator<=>(const Time&) const = default;
  Time operator+(Duration d) const { return {micros + d.count()}; }
  Time operator-(Duration d) const { return {micros - d.count()}; }
  Duration operator-(Time other) const { return Duration(micros - other.micros); }
  std::int64_t millis() const { return micros / 1000; }
  static Time from_millis(std::int64_t ms) { return {ms * 1000}; }
};

/// RFC 3339 in UTC with microseconds ("2026-03-01T10:00:00.000000Z"), and its inverse, which takes any offset and any
/// number of fraction digits.
std::string render(Time time);
Result<Time> parse_time(std::string_view text);

class Clock {
 public:
  virtual ~Clock() = default;
  /// The wall clock; may jump.
  virtual Time now() const = 0;
  /// Never goes backwards; only differences mean something.
  virtual Time steady() const = 0;
};

/// The machine's clocks.
const Clock& system_clock();

/// A clock that stands still until told otherwise. Safe to advance from another thread.
class FakeClock : public Clock {
 public:
  explicit FakeClock(Time start = {1'700'000'000'000'000}) : micros_(start.micros) {}
  Time now() const override { return {micros_.load()}; }
  Time steady() const override { return {micros_.load()}; }
  void advance(Duration d) { micros_ += d.count(); }

 private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace slipway

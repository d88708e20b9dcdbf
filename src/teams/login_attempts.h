// Wrong passwords cost time: after a few of them a name waits, twice as long after each further one, so that guessing
// does not pay. Whoever guesses at somebody's name can make them wait a minute, not shut them out; tokens are not
// concerned.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace slipway::teams {

inline constexpr int kWrongPasswordsFree = 5;
inline constexpr Duration kWrongPasswordWaitMax = std::chrono::seconds(60);
inline constexpr Duration kWrongPasswordsForgottenAfter = std::chrono::minutes(15);
/// Past this many names with wrong passwords the old ones are forgotten, and all of them if none is old.
inline constexpr size_t kWrongNamesMax = 10'000;

/// One thread at a time. Told the time, so a test can play an hour.
class LoginAttempts {
 public:
  /// How long this name has to wait before its next try; zero when it may try now.
  Duration wait(std::string_view name, Time now) const;
  void failed(std::string_view name, Time now);
  void succeeded(std::string_view name);

 private:
  struct Wrong {
    int count = 0;
    Time last;
  };
  std::unordered_map<std::string, Wrong> wrong_;
};

}  // namespace slipway::teams

// How many runs pass a filter, remembered for a while where counting took long: every page of a list shows the number,
// and whoever turns pages should not wait for it again. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/guarded.h"

namespace slipway::tracking {

inline constexpr size_t kTotalsKeptMax = 1'000;
/// Quicker counts are never kept, so that they are always exact.
inline constexpr Duration kQuickCount = std::chrono::milliseconds(10);
/// A count is kept for so many times as long as it took.
inline constexpr int kKeptTimes = 50;
inline constexpr Duration kTotalKeptMax = std::chrono::seconds(10);

/// Thread-safe.
class SearchTotals {
 public:
  std::optional<std::int64_t> find(const std::string& search, Time now) const;
  void keep(const std::string& search, std::int64_t total, Duration took, Time now);

 private:
  struct Kept {
    std::int64_t total = 0;
    Time until;
  };
  mutable Guarded<std::unordered_map<std::string, Kept>> kept_;
};

}  // namespace slipway::tracking

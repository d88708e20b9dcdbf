#include "tracking/search_totals.h"

#include <algorithm>

namespace slipway::tracking {

std::optional<std::int64_t> SearchTotals::find(const std::string& search, Time now) const {
  auto kept = kept_.lock();
  const auto found = kept->find(search);
  if (found == kept->end() || found->second.until <= now) return std::nullopt;
  return found->second.total;
}

void SearchTotals::keep(const std::string& search, std::int64_t total, Duration took, Time now) {
  if (took < kQuickCount) return;
  auto kept = kept_.lock();
  if (kept->size() >= kTotalsKeptMax)
    std::erase_if(*kept, [&](const auto& entry) { return entry.second.until <= now; });
  if (kept->size() >= kTotalsKeptMax) kept->clear();
  (*kept)[search] = {total, now + std::min<Duration>(took * kKeptTimes, kTotalKeptMax)};
}

}  // namespace slipway::tracking

// The last requests, bounded by bytes: feedback that comes late can still make a case of one of them.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>

#include "domain/prediction.h"

namespace slipway::monitor {

inline constexpr size_t kRecentBytesMax = 64 << 20;
inline constexpr size_t kRecentEntryBytes = 1024;  // what an entry is taken to cost beside its body

/// One thread at a time.
class RecentRequests {
 public:
  explicit RecentRequests(size_t bytes_max = kRecentBytesMax) : bytes_max_(bytes_max) {}

  /// Keeps it, and lets the oldest go until everything fits.
  void add(const PredictionServed& prediction);
  std::optional<PredictionServed> find(const AnswerId& answer) const;
  size_t bytes() const { return bytes_; }
  size_t size() const { return by_answer_.size(); }

 private:
  static size_t cost(const PredictionServed& prediction);

  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<AnswerId> order_;
  std::unordered_map<AnswerId, PredictionServed> by_answer_;
};

}  // namespace slipway::monitor

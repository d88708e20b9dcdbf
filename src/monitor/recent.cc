#include "monitor/recent.h"

namespace slipway::monitor {

size_t RecentRequests::cost(const PredictionServed& prediction) {
  return kRecentEntryBytes + (prediction.request ? prediction.request->size() : 0);
}

void RecentRequests::add(const PredictionServed& prediction) {
  if (cost(prediction) > bytes_max_ || !by_answer_.emplace(prediction.answer, prediction).second) return;
  order_.push_back(prediction.answer);
  bytes_ += cost(prediction);
  while (bytes_ > bytes_max_) {
    const auto oldest = by_answer_.find(order_.front());
    bytes_ -= cost(oldest->second);
    by_answer_.erase(oldest);
    order_.pop_front();
  }
}

std::optional<PredictionServed> RecentRequests::find(const AnswerId& answer) const {
  const auto at = by_answer_.find(answer);
  return at == by_answer_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace slipway::monitor

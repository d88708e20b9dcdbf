#include "monitor/recent.h"

#include "base/log.h"

namespace slipway::monitor {

Result<RecentRequests> RecentRequests::open(std::filesystem::path folder, std::uint64_t bytes_max, size_t entries_max) {
  return RecentRequests(TRY(RequestLog::open(std::move(folder))), bytes_max, entries_max);
}

void RecentRequests::replay(const std::function<void(const PredictionServed&)>& visit) {
  log_.replay([&](const Place& place, const RequestRecord& record) {
    note(record.prediction.answer, place);
    visit(record.prediction);
  });
  fit();
}

void RecentRequests::note(const AnswerId& answer, const Place& place) {
  if (by_answer_.emplace(answer, place).second) order_.push_back(answer);
}

void RecentRequests::add(std::span<const PredictionServed* const> predictions) {
  RecordBatch batch;
  size_t written = 0;
  for (size_t i = 0; i < predictions.size(); ++i) {
    batch.add(*predictions[i], std::nullopt);
    if (batch.bytes().size() < kRecentWriteBytes && i + 1 < predictions.size()) continue;
    write(batch, predictions.subspan(written, i + 1 - written));
    written = i + 1;
    batch.clear();
  }
  fit();
}

void RecentRequests::write(const RecordBatch& batch, std::span<const PredictionServed* const> predictions) {
  const auto places = log_.append(batch);
  if (!places.ok())
    return log_warning("monitor", "requests could not be remembered for late feedback",
                       {{"error", places.error().message}});
  for (size_t i = 0; i < predictions.size(); ++i) note(predictions[i]->answer, (*places)[i]);
}

void RecentRequests::forget_oldest() {
  by_answer_.erase(order_.front());
  order_.pop_front();
}

void RecentRequests::fit() {
  while (log_.bytes() > bytes_max_ && log_.drop_oldest()) {
  }
  while (!order_.empty() &&
         (order_.size() > entries_max_ || by_answer_.at(order_.front()).segment < log_.oldest_number()))
    forget_oldest();
}

std::optional<RecentRequests::Found> RecentRequests::find(const AnswerId& answer) const {
  const auto at = by_answer_.find(answer);
  if (at == by_answer_.end()) return std::nullopt;
  return Found{log_.find(at->second.segment), at->second};
}

Result<PredictionServed> RecentRequests::Found::read() const { return TRY(segment->read(place)).prediction; }

}  // namespace slipway::monitor

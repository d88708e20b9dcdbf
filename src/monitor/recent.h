// The last requests, bounded by bytes, so that feedback that comes late can still make a case of one. They lie in files
// of their own, not synced, and are still there after the server was stopped or killed; in memory is only where.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "domain/prediction.h"
#include "monitor/request_log.h"

namespace slipway::monitor {

inline constexpr std::uint64_t kRecentBytesMax = 64 << 20;
inline constexpr size_t kRecentEntriesMax = 50'000;  // of tiny requests; an entry takes about 250 bytes of memory
inline constexpr std::uint64_t kRecentWriteBytes = 1 << 20;  // what one write takes at most, but for one large request

/// One thread at a time; read() any.
class RecentRequests {
 public:
  static Result<RecentRequests> open(std::filesystem::path folder, std::uint64_t bytes_max = kRecentBytesMax,
                                     size_t entries_max = kRecentEntriesMax);

  /// Reads what former processes left, oldest first, and calls visit for each.
  void replay(const std::function<void(const PredictionServed&)>& visit);
  /// Keeps them, in as few writes as can be, and lets the oldest go until everything fits. What cannot be written is
  /// forgotten.
  void add(std::span<const PredictionServed* const> predictions);

  /// Where a request lies; it can be read from there even when it is let go meanwhile.
  struct Found {
    std::shared_ptr<const RequestLog::Segment> segment;
    Place place;
    Result<PredictionServed> read() const;
  };
  std::optional<Found> find(const AnswerId& answer) const;
  std::uint64_t bytes() const { return log_.bytes(); }
  size_t size() const { return by_answer_.size(); }

 private:
  RecentRequests(RequestLog log, std::uint64_t bytes_max, size_t entries_max)
      : log_(std::move(log)), bytes_max_(bytes_max), entries_max_(entries_max) {}
  void note(const AnswerId& answer, const Place& place);
  void write(const RecordBatch& batch, std::span<const PredictionServed* const> predictions);
  void forget_oldest();
  void fit();

  RequestLog log_;
  std::uint64_t bytes_max_;
  size_t entries_max_;
  std::deque<AnswerId> order_;
  std::unordered_map<AnswerId, Place> by_answer_;
};

}  // namespace slipway::monitor

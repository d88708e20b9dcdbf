#include "serving/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace slipway::serving {
namespace {

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr size_t kBatchSizesMax = 64;  // further sizes are counted in the last one

BatchFigures& batch_of(std::vector<BatchFigures>& batches, std::uint64_t size) {
  const auto at = std::ranges::lower_bound(batches, size, {}, &BatchFigures::size);
  if (at != batches.end() && (at->size == size || batches.size() >= kBatchSizesMax)) return *at;
  if (batches.size() >= kBatchSizesMax) return batches.back();
  return *batches.insert(at, BatchFigures{size, {}, {}, {}});
}

}  // namespace

void VersionStatistics::executed(const Executed& batch, Time now) {
  auto figures = figures_.lock();
  figures->last_inference = now;
  figures->inference_count += batch.rows;
  figures->execution_count += 1;
  figures->success.add(batch.total_ns, batch.requests);
  figures->queue.add(batch.queue_ns, batch.requests);
  // Every request of a batch waited for the whole of it.
  figures->input.add(batch.times.input_ns * batch.requests, batch.requests);
  figures->infer.add(batch.times.infer_ns * batch.requests, batch.requests);
  figures->output.add(batch.times.output_ns * batch.requests, batch.requests);
  BatchFigures& size = batch_of(figures->batches, batch.rows);
  size.input.add(batch.times.input_ns);
  size.infer.add(batch.times.infer_ns);
  size.output.add(batch.times.output_ns);
}

void VersionStatistics::failed(std::uint64_t total_ns) { figures_.lock()->fail.add(total_ns); }

void Traffic::record(Time now, Duration latency, bool ok, double confidence) {
  const double us = static_cast<double>(std::max<std::int64_t>(1, latency.count()));
  const size_t bucket = std::min(kBuckets - 1, static_cast<size_t>(std::log2(us) * 4));
  const std::int64_t number = now.micros / kMinuteUs;
  auto state = state_.lock();
  Minute& minute = state->minutes[number];
  minute.number = number;
  ++minute.requests;
  ++state->requests;
  if (!ok) {
    ++minute.errors;
    ++state->errors;
  }
  ++minute.latencies[bucket];
  if (ok && !std::isnan(confidence)) {
    ++minute.confident;
    minute.confidence_sum += confidence;
  }
  while (state->minutes.size() > kMinutesKept) state->minutes.erase(state->minutes.begin());
}

double Traffic::quantile_ms(const std::array<std::uint64_t, kBuckets>& latencies, double q) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : latencies) total += count;
  if (total == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += latencies[i];
    if (seen >= rank) return std::exp2((static_cast<double>(i) + 0.5) / 4) / 1000;
  }
  return 0;
}

TrafficTotals Traffic::totals(Time now) const {
  TrafficTotals out;
  std::array<std::uint64_t, kBuckets> latencies{};
  auto state = state_.lock();
  out.requests = state->requests;
  out.errors = state->errors;
  const std::int64_t current = now.micros / kMinuteUs;
  for (auto at = state->minutes.lower_bound(current - 4); at != state->minutes.end(); ++at) {
    for (size_t i = 0; i < kBuckets; ++i) latencies[i] += at->second.latencies[i];
  }
  // The last whole minute slides into the one that runs.
  const double part = static_cast<double>(now.micros % kMinuteUs) / kMinuteUs;
  const auto requests_of = [&](std::int64_t number) {
    const auto at = state->minutes.find(number);
    return at == state->minutes.end() ? 0.0 : static_cast<double>(at->second.requests);
  };
  out.per_s = (requests_of(current) + (1 - part) * requests_of(current - 1)) / 60;
  out.p50_ms = quantile_ms(latencies, 0.5);
  out.p99_ms = quantile_ms(latencies, 0.99);
  return out;
}

std::vector<TrafficMinute> Traffic::minutes(Time now, size_t minutes) const {
  minutes = std::clamp<size_t>(minutes, 1, kMinutesKept);
  const std::int64_t current = now.micros / kMinuteUs;
  std::vector<TrafficMinute> out;
  auto state = state_.lock();
  for (std::int64_t number = current - static_cast<std::int64_t>(minutes) + 1; number <= current; ++number) {
    TrafficMinute row{{number * kMinuteUs}, 0, 0, 0, 0, std::numeric_limits<double>::quiet_NaN()};
    if (const auto at = state->minutes.find(number); at != state->minutes.end()) {
      const Minute& minute = at->second;
      std::array<std::uint64_t, kBuckets> latencies{};
      std::ranges::copy(minute.latencies, latencies.begin());
      row.requests = minute.requests;
      row.errors = minute.errors;
      row.p50_ms = quantile_ms(latencies, 0.5);
      row.p99_ms = quantile_ms(latencies, 0.99);
      if (minute.confident > 0) row.confidence_mean = minute.confidence_sum / minute.confident;
    }
    out.push_back(row);
  }
  return out;
}

}  // namespace slipway::serving

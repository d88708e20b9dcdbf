#include "monitor/traffic.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/text.h"
#include "monitor/rows.h"

namespace slipway::monitor {
namespace {

using catalog::Connection;

constexpr std::int64_t kMinuteMicros = 60'000'000;
constexpr int kQuantileMinutes = 5;  // the percentiles of the totals are over so many

Time floor_to(Time time, std::int64_t micros) { return {time.micros - time.micros % micros}; }

std::optional<double> quantile_ms(const TrafficCounts& counts, double q) {
  if (counts.requests == 0) return std::nullopt;
  return static_cast<double>(LatencyHistogram::quantile(counts.latency, q).count()) / 1000;
}

TrafficSpan span_of(Time at, const TrafficCounts& counts) {
  TrafficSpan span{at, counts.requests, counts.errors, quantile_ms(counts, 0.5), quantile_ms(counts, 0.99), {}};
  if (counts.confidence_count > 0)
    span.confidence_mean = counts.confidence_sum / static_cast<double>(counts.confidence_count);
  return span;
}

}  // namespace

void TrafficCounts::add(const PredictionServed& prediction) {
  requests += 1;
  errors += prediction.ok ? 0 : 1;
  latency_sum_us += prediction.latency.count();
  latency[LatencyHistogram::bucket_of(prediction.latency)] += 1;
  if (prediction.ok && std::isfinite(prediction.statistics.confidence)) {
    confidence_sum += prediction.statistics.confidence;
    confidence_count += 1;
  }
}

void TrafficCounts::add(const TrafficCounts& other) {
  requests += other.requests;
  errors += other.errors;
  latency_sum_us += other.latency_sum_us;
  confidence_sum += other.confidence_sum;
  confidence_count += other.confidence_count;
  for (size_t i = 0; i < latency.size(); ++i) latency[i] += other.latency[i];
}

void Traffic::count(const PredictionServed& prediction) {
  auto state = state_.lock();
  if (state->unwritten.empty()) state->since = clock_.steady();
  const Key key = key_of(prediction);
  state->unwritten[key][floor_to(prediction.at, kMinuteMicros)].add(prediction);
  if (const auto sum = state->sums.find(key); sum != state->sums.end()) {
    sum->second.requests += 1;
    sum->second.errors += prediction.ok ? 0 : 1;
  }
}

void Traffic::write_if_due() {
  {
    auto state = state_.lock();
    if (state->unwritten.empty() || clock_.steady() - state->since < kTrafficWriteInterval) return;
  }
  write();
}

void Traffic::write() {
  const std::lock_guard moving(moving_);
  const auto unwritten = std::exchange(state_.lock()->unwritten, {});
  if (unwritten.empty()) return;
  const auto written = database_.write(catalog::Durability::stream, [&](Connection& c) -> Result<void> {
    for (const auto& [key, minutes] : unwritten) {
      for (const auto& [minute, counts] : minutes)
        TRY(rows::add_minute(c, key.project, key.deployment, minute, counts));
    }
    return {};
  });
  if (written.ok()) return;
  log_warning("monitor", "traffic could not be written; it is tried again", {{"error", written.error().message}});
  auto state = state_.lock();
  state->since = clock_.steady();
  for (const auto& [key, minutes] : unwritten) {
    for (const auto& [minute, counts] : minutes) state->unwritten[key][minute].add(counts);
  }
}

Result<Traffic::Minutes> Traffic::minutes_since(const Key& key, Time since, Sum* sum) {
  const std::lock_guard moving(moving_);
  if (sum) {
    auto state = state_.lock();
    const auto known = state->sums.find(key);
    if (known != state->sums.end() && clock_.steady() - known->second.read_at < kTrafficSumInterval) {
      *sum = known->second;
      sum = nullptr;
    }
  }
  Minutes minutes = TRY(database_.read_value([&](Connection& c) -> Result<Minutes> {
    if (sum) *sum = TRY(rows::sum_minutes(c, key.project, key.deployment));
    return rows::select_minutes(c, key.project, key.deployment, since);
  }));
  auto state = state_.lock();
  const auto at = state->unwritten.find(key);
  if (at != state->unwritten.end()) {
    for (const auto& [minute, counts] : at->second) {
      if (minute >= since) minutes[minute].add(counts);
      if (sum) sum->requests += counts.requests, sum->errors += counts.errors;
    }
  }
  if (sum) {
    sum->read_at = clock_.steady();
    state->sums[key] = *sum;
  }
  return minutes;
}

Result<std::vector<TrafficSpan>> Traffic::spans(const ProjectId& project, std::string_view deployment, int minutes,
                                                int step) {
  const std::int64_t span_micros = std::clamp(step, 1, kTrafficStepMax) * kMinuteMicros;
  const Time now = clock_.now();
  const Time first = floor_to(now - std::chrono::minutes(std::clamp(minutes, 1, kTrafficMinutesMax) - 1), span_micros);
  std::map<Time, TrafficCounts> sums;
  for (const auto& [minute, counts] : TRY(minutes_since({project.text, std::string(deployment)}, first, nullptr)))
    sums[floor_to(minute, span_micros)].add(counts);
  std::vector<TrafficSpan> spans;
  for (Time at = first; at <= now; at = {at.micros + span_micros}) spans.push_back(span_of(at, sums[at]));
  return spans;
}

Result<TrafficTotals> Traffic::totals(const ProjectId& project, std::string_view deployment) {
  const Time now = clock_.now(), minute = floor_to(now, kMinuteMicros), before = minute - std::chrono::minutes(1);
  Sum sum;
  const Minutes minutes = TRY(minutes_since({project.text, std::string(deployment)},
                                            minute - std::chrono::minutes(kQuantileMinutes - 1), &sum));
  TrafficCounts lately;
  for (const auto& [at, counts] : minutes) lately.add(counts);
  const auto requests_of = [&](Time at) {
    return minutes.contains(at) ? static_cast<double>(minutes.at(at).requests) : 0.0;
  };
  // The last whole minute slides into the one that runs.
  const double part = static_cast<double>((now - minute).count()) / kMinuteMicros;
  const double per_s = (requests_of(minute) + (1 - part) * requests_of(before)) / 60;
  return TrafficTotals{sum.requests, sum.errors, per_s, quantile_ms(lately, 0.5), quantile_ms(lately, 0.99)};
}

std::string render_buckets(const LatencyHistogram::Counts& counts) {
  std::string text;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) text += (text.empty() ? "" : ",") + std::to_string(i) + ":" + std::to_string(counts[i]);
  }
  return text;
}

LatencyHistogram::Counts parse_buckets(std::string_view text) {
  LatencyHistogram::Counts counts{};
  for (const std::string& part : split(text, ',')) {
    const size_t colon = part.find(':');
    if (colon == std::string::npos) continue;
    const auto bucket = parse_u64(std::string_view(part).substr(0, colon)),
               count = parse_u64(std::string_view(part).substr(colon + 1));
    if (bucket && *bucket < counts.size() && count) counts[*bucket] = *count;
  }
  return counts;
}

}  // namespace slipway::monitor

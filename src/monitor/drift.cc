#include "monitor/drift.h"

#include <fmt/format.h>

#include <boost/math/distributions/chi_squared.hpp>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace slipway::monitor {
namespace {

/// The share of a bin, with half a sample added to each.
double share_of(const Histogram& histogram, size_t bin) {
  const auto bins = static_cast<double>(histogram.counts.size());
  return (static_cast<double>(histogram.counts[bin]) + 0.5) / (static_cast<double>(histogram.total()) + 0.5 * bins);
}

constexpr double kSame = 1e-6;  // of the value: what float arithmetic may differ by

/// For a reference of one value: below, the same, above.
std::vector<double> edges_around(double value) {
  const double reach = std::max(std::abs(value) * kSame, 1e-12);
  return {value - reach, value + reach};
}

std::vector<double> quantile_edges(const std::vector<double>& sorted, size_t bins) {
  std::vector<double> edges;
  for (size_t i = 1; i < bins && !sorted.empty(); ++i) {
    const double edge = sorted[i * sorted.size() / bins];
    // The smallest value is no edge: nothing of the reference would lie below it.
    if (edge > sorted.front() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  return edges;
}

void check_comparable(const Histogram& reference, const Histogram& current) {
  CHECK(reference.edges == current.edges, "two histograms are compared bin by bin, so they need the same edges");
}

}  // namespace

std::int64_t Histogram::total() const {
  std::int64_t sum = 0;
  for (std::int64_t n : counts) sum += n;
  return sum;
}

void Histogram::add(double value) {
  // NaN compares false with everything and would land below the first edge; it counts as beyond the last one.
  const size_t bin = std::isnan(value)
                         ? edges.size()
                         : static_cast<size_t>(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin());
  ++counts[bin];
}

Histogram bins_for(std::span<const double> reference, size_t bins) {
  std::vector<double> sorted;
  for (double v : reference) {
    if (std::isfinite(v)) sorted.push_back(v);
  }
  std::sort(sorted.begin(), sorted.end());
  Histogram histogram;
  histogram.edges =
      !sorted.empty() && sorted.front() == sorted.back() ? edges_around(sorted.front()) : quantile_edges(sorted, bins);
  histogram.counts.assign(histogram.edges.size() + 1, 0);
  return histogram;
}

Histogram bins_for_classes(size_t classes) {
  Histogram histogram;
  for (size_t i = 1; i <= classes; ++i) histogram.edges.push_back(static_cast<double>(i) - 0.5);
  histogram.counts.assign(classes + 1, 0);
  return histogram;
}

Json render(const Histogram& histogram) {
  Json::Array edges, counts;
  for (double edge : histogram.edges) edges.emplace_back(edge);
  for (std::int64_t count : histogram.counts) counts.emplace_back(count);
  return Json(Json::Object{}).set("edges", std::move(edges)).set("counts", std::move(counts));
}

Result<Histogram> parse_histogram(const Json& json) {
  Histogram histogram;
  const Json& edges = json["edges"];
  const Json& counts = json["counts"];
  if (!edges.is_array() || !counts.is_array() || counts.array().size() != edges.array().size() + 1) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("a histogram has one count more than edges; found {} counts and {} edges",
                             counts.array().size(), edges.array().size())};
  }
  for (const Json& edge : edges.array()) {
    const auto value = edge.number();
    if (!value || (!histogram.edges.empty() && *value <= histogram.edges.back())) {
      return Error{ErrorCode::invalid_argument, "the edges of a histogram are numbers in rising order"};
    }
    histogram.edges.push_back(*value);
  }
  for (const Json& count : counts.array()) {
    const auto value = count.integer();
    if (!value || *value < 0)
      return Error{ErrorCode::invalid_argument, "the counts of a histogram are whole numbers from 0 on"};
    histogram.counts.push_back(*value);
  }
  return histogram;
}

double psi(const Histogram& reference, const Histogram& current) {
  check_comparable(reference, current);
  double sum = 0;
  for (size_t bin = 0; bin < reference.counts.size(); ++bin) {
    const double p = share_of(current, bin), q = share_of(reference, bin);
    sum += (p - q) * std::log(p / q);
  }
  return sum;
}

double ks(const Histogram& reference, const Histogram& current) {
  check_comparable(reference, current);
  const double n = static_cast<double>(reference.total()), m = static_cast<double>(current.total());
  if (n == 0 || m == 0) return 0;
  double largest = 0, below_reference = 0, below_current = 0;
  for (size_t bin = 0; bin < reference.counts.size(); ++bin) {
    below_reference += static_cast<double>(reference.counts[bin]) / n;
    below_current += static_cast<double>(current.counts[bin]) / m;
    largest = std::max(largest, std::abs(below_reference - below_current));
  }
  return std::min(largest, 1.0);
}

std::string_view name(DriftVerdict::State state) {
  switch (state) {
    case DriftVerdict::State::too_few: return "too_few";
    case DriftVerdict::State::steady: return "steady";
    case DriftVerdict::State::drifted: return "drifted";
  }
  return "too_few";
}

DriftVerdict judge_drift(const Histogram& reference, const Histogram& current, const DriftLimits& limits) {
  const std::int64_t n = reference.total(), m = current.total();
  DriftVerdict verdict;
  if (n < limits.samples_min || m < limits.samples_min || reference.counts.size() < 2) return verdict;
  verdict.psi = psi(reference, current);
  verdict.ks = ks(reference, current);
  const boost::math::chi_squared chance(static_cast<double>(reference.counts.size() - 1));
  const double by_chance = boost::math::quantile(boost::math::complement(chance, limits.false_alarm)) *
                           (1 / static_cast<double>(n) + 1 / static_cast<double>(m));
  verdict.threshold = std::max(limits.psi_min, by_chance);
  verdict.state = verdict.psi > verdict.threshold ? DriftVerdict::State::drifted : DriftVerdict::State::steady;
  return verdict;
}

}  // namespace slipway::monitor

// Whether what comes in now still looks like what came in before: histograms with edges taken from a reference, the
// population stability index between two of them, and the rule that says "drift". Pure; no clock, no database.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace slipway::monitor {

inline constexpr size_t kDriftBins = 10;
inline constexpr std::int64_t kDriftSamplesMin = 100;  // on either side; below this nothing is said
inline constexpr double kDriftPsiMin = 0.2;            // the customary "significant shift"
inline constexpr double kDriftFalseAlarm = 0.001;      // how often equal populations may be called drifted, per look

/// Counts per bin. With edges e0 < e1 < … < ek-1 there are k+1 bins: below e0, [e0, e1), …, from ek-1 on.
/// A categorical statistic (a predicted class) uses the edges 0.5, 1.5, ….
struct Histogram {
  std::vector<double> edges;
  std::vector<std::int64_t> counts;

  std::int64_t total() const;
  void add(double value);
  bool operator==(const Histogram&) const = default;
};

/// An empty histogram whose bins hold about equally many of `reference` (its quantiles; equal ones are merged, so a
/// statistic with few values gets few bins).
Histogram bins_for(std::span<const double> reference, size_t bins = kDriftBins);
/// An empty histogram with one bin per class 0 … classes−1.
Histogram bins_for_classes(size_t classes);

Json render(const Histogram& histogram);
/// The inverse; invalid_argument when the counts do not fit the edges.
Result<Histogram> parse_histogram(const Json& json);

/// The population stability index: Σ (p−q)·ln(p/q) over the bins, p the current and q the reference share, each bin
/// counted with half a sample more so that an empty bin does not make it infinite. 0 is no difference.
double psi(const Histogram& reference, const Histogram& current);

/// The largest difference of the two cumulative shares at the bins' edges: Kolmogorov and Smirnov's statistic, as far as
/// the bins can see it. 0 to 1.
double ks(const Histogram& reference, const Histogram& current);

struct DriftVerdict {
  enum class State { too_few, steady, drifted };
  State state = State::too_few;
  double psi = 0;
  double ks = 0;
  double threshold = 0;  // what psi was held against
};
std::string_view name(DriftVerdict::State state);

/// Drifted when the index is above both the customary 0.2 and what chance gives: for equal populations
/// psi / (1/n + 1/m) follows a chi-square with bins−1 degrees of freedom (Yurdakul 2018), so small samples need more.
DriftVerdict judge_drift(const Histogram& reference, const Histogram& current);

}  // namespace slipway::monitor

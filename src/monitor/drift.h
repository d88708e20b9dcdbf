// Whether what comes in now still looks like what came in before: histograms with edges taken from a reference, two
// distances between them, and the rule that says "drift". Pure; no clock, no database.
//
// The population stability index (PSI) is Jeffreys' divergence (1946) of the two shares per bin: the relative entropy
// in one direction plus that in the other. Credit scoring made it customary, with 0.1 for "look at it" and 0.2 for
// "act" (Lewis, An Introduction to Credit Scoring, 1994; Siddiqi, Credit Risk Scorecards, 2006, says 0.25). Those
// figures ignore how many samples there are; for equal populations of n and m samples in B bins the index follows (1/n
// + 1/m) times a chi-square with B-1 degrees of freedom (Yurdakul, Statistical Properties of the Population Stability
// Index, 2018), which gives the second limit. An empty bin would make it infinite, so every bin counts half a sample
// more: the share that Jeffreys' prior gives (Krichevsky and Trofimov, 1981). The second distance is that of Kolmogorov
// (1933) and Smirnov (1939) between two samples; it is shown, not judged by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace slipway::monitor {

inline constexpr size_t kDriftBins = 10;
inline constexpr std::int64_t kDriftSamplesMax = 500;  // of the current traffic: more are never looked at

/// What counts as drift; a deployment may have its own (capture.h).
struct DriftLimits {
  double psi_min = 0.2;            // the customary "significant shift"
  std::int64_t samples_min = 100;  // on either side; below this nothing is said
  double false_alarm = 0.001;      // how often equal populations may be called drifted, per look
  bool operator==(const DriftLimits&) const = default;
};

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
/// statistic with few values gets few bins). One that is always the same gets three: below, the same (to a millionth),
/// above. Values that are not finite make no edges; a reference without others gets one bin, of which nothing can be
/// said.
Histogram bins_for(std::span<const double> reference, size_t bins = kDriftBins);
/// An empty histogram with one bin per class 0 … classes−1, and one for those the reference never had.
Histogram bins_for_classes(size_t classes);

Json render(const Histogram& histogram);
/// The inverse; invalid_argument when the counts do not fit the edges.
Result<Histogram> parse_histogram(const Json& json);

/// The population stability index: Σ (p−q)·ln(p/q) over the bins, p the current and q the reference share, each bin
/// counted with half a sample more so that an empty bin does not make it infinite. 0 is no difference.
double psi(const Histogram& reference, const Histogram& current);

/// The largest difference of the two cumulative shares at the bins' edges: Kolmogorov and Smirnov's statistic, as far
/// as the bins can see it. 0 to 1.
double ks(const Histogram& reference, const Histogram& current);

struct DriftVerdict {
  enum class State { too_few, steady, drifted };
  State state = State::too_few;
  double psi = 0;
  double ks = 0;
  double threshold = 0;  // what psi was held against
};
std::string_view name(DriftVerdict::State state);

/// Drifted when the index is above both the limit and what chance gives to equal populations, so small samples need
/// more.
DriftVerdict judge_drift(const Histogram& reference, const Histogram& current, const DriftLimits& limits = {});

}  // namespace slipway::monitor

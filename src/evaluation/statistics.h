// How sure a number is: confidence intervals for one version on a slice, and for the difference of two versions on the
// same samples. Pure functions; all intervals are two-sided.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace slipway::evaluation {

inline constexpr double kConfidence = 0.95;

/// An estimate with its interval, all in the metric's own unit, and how many samples it rests on.
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
  std::int64_t n = 0;
};

/// A share of successes: Wilson's score interval (Wilson 1927), which stays inside 0..1 and holds for small n.
/// With n = 0 nothing is known: value 0, interval 0..1.
Interval share(std::int64_t successes, std::int64_t n, double confidence = kConfidence);

/// The mean of per-sample values (an IoU, an absolute error): Student's t interval. With one value the interval is the
/// value itself stretched to ±infinity; with none it is 0 in ±infinity. NaN values are the caller's business to leave
/// out.
Interval mean(std::span<const double> values, double confidence = kConfidence);

/// The difference right − left of two shares measured on the same n samples: `fixed` are those only the right version
/// gets right, `broken` those only the left one does. Adjusted Wald interval for paired data (Bonett and Price 2012).
/// `value` is the plain difference (fixed − broken) / n.
Interval paired_share_difference(std::int64_t fixed, std::int64_t broken, std::int64_t n,
                                 double confidence = kConfidence);

/// The mean of right[i] − left[i]: Student's t interval on the differences. Both spans have one length.
Interval paired_mean_difference(std::span<const double> left, std::span<const double> right,
                                double confidence = kConfidence);

enum class Verdict {
  better,   // the whole interval lies above zero
  worse,    // the whole interval lies below zero
  same,     // the whole interval lies within ±tolerance
  unclear,  // too few samples to say
};
std::string_view name(Verdict verdict);

/// What an interval of a difference says, for a metric where more is better. `better` and `worse` come before `same`.
Verdict judge(const Interval& difference, double tolerance);

/// Whether the difference is, by the lower end of its interval, no more than `tolerance` worse.
bool no_worse_than(const Interval& difference, double tolerance);

}  // namespace slipway::evaluation

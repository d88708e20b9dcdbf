#include "evaluation/statistics.h"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.h"

namespace slipway::evaluation {
namespace {

/// How many standard errors the interval reaches to either side.
double normal_reach(double confidence) { return boost::math::quantile(boost::math::normal(), 0.5 + confidence / 2); }

double student_reach(double confidence, std::int64_t degrees) {
  return boost::math::quantile(boost::math::students_t(static_cast<double>(degrees)), 0.5 + confidence / 2);
}

}  // namespace

Interval share(std::int64_t successes, std::int64_t n, double confidence) {
  CHECK(successes >= 0 && successes <= n, "a share counts at most all of its samples");
  if (n == 0) return {0, 0, 1, 0};
  const double z = normal_reach(confidence), count = static_cast<double>(n);
  const double p = static_cast<double>(successes) / count;
  const double shrink = 1 + z * z / count;
  const double centre = (p + z * z / (2 * count)) / shrink;
  const double half = z / shrink * std::sqrt(p * (1 - p) / count + z * z / (4 * count * count));
  return {p, std::max(0.0, centre - half), std::min(1.0, centre + half), n};
}

Interval mean(std::span<const double> values, double confidence) {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  const auto n = static_cast<std::int64_t>(values.size());
  if (n == 0) return {0, -kUnknown, kUnknown, 0};
  double sum = 0;
  for (double v : values) sum += v;
  const double average = sum / static_cast<double>(n);
  if (n == 1) return {average, -kUnknown, kUnknown, 1};
  double squares = 0;
  for (double v : values) squares += (v - average) * (v - average);
  const double error = std::sqrt(squares / static_cast<double>(n - 1) / static_cast<double>(n));
  const double half = error == 0 ? 0 : student_reach(confidence, n - 1) * error;
  return {average, average - half, average + half, n};
}

Interval paired_share_difference(std::int64_t fixed, std::int64_t broken, std::int64_t n, double confidence) {
  CHECK(fixed >= 0 && broken >= 0 && fixed + broken <= n, "samples that changed are at most all samples");
  if (n == 0) return {0, -1, 1, 0};
  const double count = static_cast<double>(n);
  const double better = (static_cast<double>(fixed) + 1) / (count + 2);
  const double worse = (static_cast<double>(broken) + 1) / (count + 2);
  const double centre = better - worse;
  const double half = normal_reach(confidence) * std::sqrt((better + worse - centre * centre) / (count + 2));
  return {static_cast<double>(fixed - broken) / count, std::max(-1.0, centre - half), std::min(1.0, centre + half), n};
}

Interval paired_mean_difference(std::span<const double> left, std::span<const double> right, double confidence) {
  CHECK(left.size() == right.size(), "a paired comparison needs both values of every sample");
  std::vector<double> differences(left.size());
  for (size_t i = 0; i < left.size(); ++i) differences[i] = right[i] - left[i];
  return mean(differences, confidence);
}

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::better: return "better";
    case Verdict::worse: return "worse";
    case Verdict::same: return "same";
    case Verdict::unclear: return "unclear";
  }
  return "unclear";
}

Verdict judge(const Interval& difference, double tolerance) {
  if (difference.n == 0) return Verdict::unclear;
  if (difference.low > 0) return Verdict::better;
  if (difference.high < 0) return Verdict::worse;
  if (difference.low >= -tolerance && difference.high <= tolerance) return Verdict::same;
  return Verdict::unclear;
}

bool no_worse_than(const Interval& difference, double tolerance) { return difference.low >= -tolerance; }

}  // namespace slipway::evaluation

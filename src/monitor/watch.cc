#include "monitor/watch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace slipway::monitor {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

const std::vector<std::string>& watched_statistics() {
  static const std::vector<std::string> names = {"input_mean", "input_deviation", "confidence", "margin",
                                                 "predicted_class"};
  return names;
}

double statistic(const TensorStatistics& figures, std::string_view statistic_name) {
  if (statistic_name == "input_mean") return figures.input_mean;
  if (statistic_name == "input_deviation") return figures.input_deviation;
  if (statistic_name == "confidence") return figures.confidence;
  if (statistic_name == "margin") return figures.margin;
  if (statistic_name == "predicted_class")
    return figures.predicted_class < 0 ? kNone : static_cast<double>(figures.predicted_class);
  return kNone;
}

std::string_view side_of(std::string_view statistic_name) {
  return statistic_name.starts_with("input") ? "input" : "output";
}

Reference make_reference(std::string source, const std::vector<TensorStatistics>& answers) {
  Reference reference{std::move(source), {}};
  for (const std::string& statistic_name : watched_statistics()) {
    std::vector<double> values;
    for (const TensorStatistics& figures : answers) {
      const double value = statistic(figures, statistic_name);
      if (!std::isnan(value)) values.push_back(value);
    }
    if (values.empty()) continue;
    const double largest = *std::max_element(values.begin(), values.end());
    Histogram histogram = statistic_name == "predicted_class" && largest < 1000
                              ? bins_for_classes(static_cast<size_t>(largest) + 1)
                              : bins_for(values);
    for (double value : values) histogram.add(value);
    reference.histograms.emplace(statistic_name, std::move(histogram));
  }
  return reference;
}

bool Watch::add(const TensorStatistics& figures) {
  if (!reference_) {
    first_.push_back(figures);
    if (first_.size() < kWatchReferenceAnswers) return false;
    reference_ = make_reference("first answers", first_);
    first_ = {};
    return true;
  }
  if (window_.size() < kWatchWindow) {
    window_.push_back(figures);
  } else {
    window_[next_] = figures;
    next_ = (next_ + 1) % kWatchWindow;
  }
  return false;
}

std::vector<StatisticState> Watch::states(const DriftLimits& limits) const {
  std::vector<StatisticState> states;
  if (!reference_) return states;
  for (const auto& [statistic_name, reference] : reference_->histograms) {
    StatisticState state{statistic_name, reference, reference, {}};
    std::fill(state.current.counts.begin(), state.current.counts.end(), 0);
    for (const TensorStatistics& figures : window_) {
      const double value = statistic(figures, statistic_name);
      if (!std::isnan(value)) state.current.add(value);
    }
    state.verdict = judge_drift(state.reference, state.current, limits);
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace slipway::monitor

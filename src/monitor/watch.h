// The figures of one model version's traffic, held against a reference as they come. Pure state; one thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/prediction.h"
#include "monitor/drift.h"

namespace slipway::monitor {

inline constexpr size_t kWatchWindow = kDriftSamplesMax;  // the current traffic: the last so many answers
inline constexpr size_t kWatchReferenceAnswers =
    500;  // without an evaluation, the first so many answers are the reference

/// The statistics that are watched, by name: "input_mean", "input_deviation", "confidence", "margin",
/// "predicted_class".
const std::vector<std::string>& watched_statistics();
/// The value of one of them; NaN where it does not apply.
double statistic(const TensorStatistics& figures, std::string_view statistic_name);
/// Whether it is about what came in ("input") or what went out ("output").
std::string_view side_of(std::string_view statistic_name);

struct Reference {
  std::string source;  // "evaluation 01J…", "first answers"
  std::map<std::string, Histogram> histograms;
};

/// Histograms of these answers' figures; a statistic that no answer has is left out.
Reference make_reference(std::string source, const std::vector<TensorStatistics>& answers);

struct StatisticState {
  std::string statistic;
  Histogram reference, current;
  DriftVerdict verdict;
};

class Watch {
 public:
  /// Without a reference the first kWatchReferenceAnswers become it.
  explicit Watch(std::optional<Reference> reference) : reference_(std::move(reference)) {}

  /// True when this answer completed a reference, which should then be kept.
  bool add(const TensorStatistics& figures);
  const std::optional<Reference>& reference() const { return reference_; }
  void set_reference(Reference reference) { reference_ = std::move(reference); }
  /// How each statistic stands now; empty while there is no reference.
  std::vector<StatisticState> states(const DriftLimits& limits) const;
  size_t answers_in_window() const { return window_.size(); }

 private:
  std::optional<Reference> reference_;
  std::vector<TensorStatistics> first_;
  std::vector<TensorStatistics> window_;  // a ring once it is full
  size_t next_ = 0;
};

}  // namespace slipway::monitor

// Scorers (domain/scorer.h), by experiment and name, with all their versions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/scorer.h"
#include "tracking/records.h"

namespace slipway::tracking {

inline constexpr size_t kScorersListedMax = 1000;
inline constexpr size_t kScorerIdsMax = 1000;  // in one request

/// Every call blocks for the database and waits until what it wrote is durable. Thread-safe. An experiment is named by
/// its id or by its number (Scorer::experiment_number): MLflow's message for a scorer has room for a number only.
/// not_found for an experiment or scorer that the project has not; invalid_argument for a deleted experiment.
class Scorers {
 public:
  Scorers(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Whether it is there and active.
  Result<void> check_experiment(const ProjectId& project, const ExperimentId& experiment);
  /// The next version under that name; check_scorer_name() and check_scorer_body() hold.
  Result<Scorer> add(const ProjectId& project, const ExperimentId& experiment, const std::string& name,
                     const std::string& body);
  /// The latest version of each scorer of these experiments (absent: of all active ones), by experiment and name.
  /// Experiments that are deleted or do not exist have none.
  Result<std::vector<Scorer>> list(const ProjectId& project,
                                   const std::optional<std::vector<ExperimentId>>& experiments);
  /// Ascending.
  Result<std::vector<Scorer>> versions(const ProjectId& project, const ExperimentId& experiment,
                                       const std::string& name);
  /// The latest without a `version`.
  Result<Scorer> get(const ProjectId& project, const ExperimentId& experiment, const std::string& name,
                     std::optional<std::int64_t> version);
  /// All versions without a `version`.
  Result<void> remove(const ProjectId& project, const ExperimentId& experiment, const std::string& name,
                      std::optional<std::int64_t> version);

  /// failed_precondition for a rate above zero: no judge can be reached from here.
  Result<ScorerSampling> set_sampling(const ProjectId& project, const ExperimentId& experiment, const std::string& name,
                                      double rate, const std::optional<std::string>& filter);
  /// Of those that have one.
  Result<std::vector<ScorerSampling>> sampling(const ProjectId& project, const std::vector<ScorerId>& scorers);

 private:
  catalog::Database& database_;
  const Clock& clock_;
};

}  // namespace slipway::tracking

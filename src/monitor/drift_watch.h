// Whether what the deployments are asked drifts: a window of the last answers of each against the reference of the
// version that answers, and findings that open and close by themselves.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "catalog/catalog.h"
#include "domain/events.h"
#include "monitor/deployment_key.h"
#include "monitor/watch.h"

namespace slipway::monitor {

/// How a deployment's current traffic stands against its version's reference.
struct DriftReport {
  std::string model, source;
  std::int64_t version = 0;
  size_t answers = 0;
  DriftLimits limits;
  std::vector<StatisticState> statistics;
};

/// Thread-safe, but for add() and judge(), which belong to one thread. Everything but report() and drifted() may wait
/// for the database.
class DriftWatch {
 public:
  /// All outlive it.
  DriftWatch(catalog::Database& database, const Clock& clock, EventSink& events)
      : database_(database), clock_(clock), events_(events) {}

  void set_limits(const DeploymentKey& deployment, const DriftLimits& limits);
  Result<void> set_reference(const ProjectId& project, const std::string& model, std::int64_t version,
                             std::string source, const std::vector<TensorStatistics>& answers);

  void add(const PredictionServed& prediction);
  /// Opens, updates and closes findings where something was added since the last call.
  void judge();

  /// nullopt when nothing is known of this deployment's answers.
  std::optional<DriftReport> report(const DeploymentKey& deployment);
  /// Those of which some statistic was out of its limits when judge() looked last.
  std::set<DeploymentKey> drifted();

 private:
  struct Watched {
    std::string model;
    std::int64_t version = 0;
    Watch watch{std::nullopt};
    DriftLimits limits;
    bool changed = false;
  };
  struct State {
    std::map<DeploymentKey, Watched> watched;
    std::map<DeploymentKey, DriftLimits> limits;
    std::set<DeploymentKey> drifted;
  };

  std::optional<Reference> load_reference(const ProjectId& project, const std::string& model, std::int64_t version);
  Result<void> save_reference(const ProjectId& project, const std::string& model, std::int64_t version,
                              const Reference& reference);
  void judge_statistic(const DeploymentKey& deployment, const Watched& watched, const StatisticState& state);

  catalog::Database& database_;
  const Clock& clock_;
  EventSink& events_;
  Guarded<State> state_;
  std::map<std::string, double>
      told_;  // the thread's own; per deployment, version and statistic: the value last written; 0 is "steady"
};

}  // namespace slipway::monitor

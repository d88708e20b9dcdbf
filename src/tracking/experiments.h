// Experiments: named groups of runs in a project. Names are unique per project, deleted ones included.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "tracking/records.h"

namespace slipway::tracking {

/// The artifact location of experiments that name none is this, a slash and their id: MLflow clients then send their
/// artifacts to the server they track with.
inline constexpr const char* kArtifactRoot = "mlflow-artifacts:";

/// What clients call the experiment they did not name. Only that of the first project has this id; elsewhere it stands
/// for the one of this name, which get() makes when it is asked for.
inline constexpr std::string_view kDefaultExperimentId = "0";
inline constexpr std::string_view kDefaultExperimentName = "Default";

/// How long an experiment's runs took: those that are over, and those that Slipway executes now. A client's run without
/// an end is not counted, because nobody knows whether it still runs.
struct ExperimentTime {
  ExperimentId id;
  std::string name;
  std::int64_t runs = 0, running = 0;
  Duration time{0};
};

/// Every call blocks for the database and waits until what it wrote is durable. Thread-safe.
class Experiments {
 public:
  Experiments(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Where the artifacts of experiments go that name no place; before the first call.
  void set_artifact_root(std::string root) { artifact_root_ = std::move(root); }

  /// already_exists when the name is taken, also by a deleted one.
  Result<Experiment> create(const ProjectId& project, const std::string& name, const std::string& artifact_location,
                            const KeyValues& tags);
  /// The experiment of that name, made when there is none. failed_precondition when it is deleted.
  Result<Experiment> find_or_create(const ProjectId& project, const std::string& name);
  /// Also deleted ones.
  Result<Experiment> get(const ProjectId& project, const ExperimentId& id);
  Result<Experiment> find(const ProjectId& project, const std::string& name);

  Result<void> rename(const ProjectId& project, const ExperimentId& id, const std::string& name);
  /// Its runs are deleted, and restored, with it.
  Result<void> remove(const ProjectId& project, const ExperimentId& id);
  Result<void> restore(const ProjectId& project, const ExperimentId& id);
  Result<void> set_tag(const ProjectId& project, const ExperimentId& id, const std::string& key,
                       const std::string& value);
  Result<void> delete_tag(const ProjectId& project, const ExperimentId& id, const std::string& key);
  Result<std::int64_t> run_count(const Experiment& experiment);
  /// Of the active experiments with runs, the longest first, at most `most`. Reads every run of the project.
  Result<std::vector<ExperimentTime>> times(const ProjectId& project, size_t most);
  /// Gives the Default experiment, which the schema made without a clock, its time of birth.
  Result<void> date_default();

 private:
  catalog::Database& database_;
  const Clock& clock_;
  std::string artifact_root_ = kArtifactRoot;
};

/// Inside somebody's transaction.
Result<Experiment> read_experiment(catalog::Connection& connection, const ProjectId& project, const ExperimentId& id);
Result<std::vector<Experiment>> read_experiments(catalog::Connection& connection, std::string_view where_and_order,
                                                 const catalog::Values& values);

}  // namespace slipway::tracking

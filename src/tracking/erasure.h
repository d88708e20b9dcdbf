// Removing deleted runs and experiments for good, as steps inside somebody's transaction: what there is to remove, who
// still needs it, and the removal itself. What other rooms keep of a run is theirs; src/retention puts it together.
//
// A run goes in two steps. begin_run_erasure() takes its row away, so that nobody sees it any more, and notes it in
// run_erasures; erase_run_rows() then removes what is left, in as many transactions as it takes. Whoever finds a note
// after a kill goes on.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/ids.h"

namespace slipway::tracking {

struct DeletedRun {
  RunId id;
  std::int64_t number = 0;
  ProjectId project;
  std::string name, experiment_name, artifact_uri;
  Time deleted_at;
};

struct DeletedExperiment {
  ExperimentId id;
  std::int64_t number = 0;
  ProjectId project;
  std::string name;
  Time deleted_at;
  std::int64_t runs = 0;  // that still have their row, deleted or not
};

/// Which deleted things are meant. Of an experiment that is named, all of its deleted runs are, too.
struct DeletedQuery {
  std::optional<ProjectId> project;  // none: of all
  Time deleted_before;
  std::vector<RunId> runs;
  std::vector<ExperimentId> experiments;  // with neither: everything
};

/// Where a page of runs ended.
struct DeletedMark {
  std::int64_t deleted_at = INT64_MIN, number = 0;
};

/// Something on its way out.
struct Erasure {
  std::int64_t number = 0;
  std::string id;  // of a run; empty for an experiment
  ProjectId project;
};

/// In one call of list_deleted_experiments().
inline constexpr std::int64_t kDeletedExperimentsMax = 10'000;

/// The longest deleted first.
Result<std::vector<DeletedRun>> list_deleted_runs(catalog::Connection& connection, const DeletedQuery& query,
                                                  const DeletedMark& after, std::int64_t most);
Result<std::int64_t> count_deleted_runs(catalog::Connection& connection, const DeletedQuery& query);
/// Never the one that clients mean when they name none.
Result<std::vector<DeletedExperiment>> list_deleted_experiments(catalog::Connection& connection,
                                                                const DeletedQuery& query);
/// not_found or failed_precondition, by name, for something that is named and is not there, or is not deleted.
Result<void> check_deleted(catalog::Connection& connection, const DeletedQuery& query);

/// Why a deleted run must stay: a run that is not deleted uses a model that it logged. nullopt: for nothing here.
Result<std::optional<std::string>> need_of_run(catalog::Connection& connection, const DeletedRun& run);
/// Whether a run of this id is there and not deleted.
Result<bool> is_active_run(catalog::Connection& connection, const RunId& run);

/// Ids of the logged models that a run made, or all of an experiment's.
Result<std::vector<std::string>> models_of_run(catalog::Connection& connection, const ProjectId& project,
                                               const RunId& run);
Result<std::vector<std::string>> models_of_experiment(catalog::Connection& connection, std::int64_t experiment);

/// Bytes that the run's metric points take, as they lie in the database.
Result<std::int64_t> point_bytes(catalog::Connection& connection, std::int64_t run);

/// False when the run is not there any more, or was restored meanwhile.
Result<bool> begin_run_erasure(catalog::Connection& connection, const DeletedRun& run, Time now);
/// False when it was restored, or has runs again.
Result<bool> begin_experiment_erasure(catalog::Connection& connection, const DeletedExperiment& experiment, Time now);
/// Those that were begun, the oldest numbers first.
Result<std::vector<Erasure>> begun_run_erasures(catalog::Connection& connection, std::int64_t most);
Result<std::vector<Erasure>> begun_experiment_erasures(catalog::Connection& connection, std::int64_t most);

/// Removes about `rows_max` rows of what is left of a run, its logged models (whose files must be gone) and the traces
/// that nobody else is linked to included. Fewer than that: nothing is left.
Result<std::int64_t> erase_run_rows(catalog::Connection& connection, const Erasure& run, std::int64_t rows_max);
/// The same for an experiment.
Result<std::int64_t> erase_experiment_rows(catalog::Connection& connection, const Erasure& experiment,
                                           std::int64_t rows_max);
/// Nothing is left, as erase_…_rows() found in the same transaction: the note goes, and of an experiment its row.
Result<void> end_run_erasure(catalog::Connection& connection, const Erasure& run);
Result<void> end_experiment_erasure(catalog::Connection& connection, const Erasure& experiment);

/// busy while what is left of a former run of this id is being removed: it cannot come back yet.
Result<void> check_not_erased(catalog::Connection& connection, const RunId& run);

}  // namespace slipway::tracking

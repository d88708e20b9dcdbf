// What several parts of tracking do with the rows of one run, inside somebody's transaction. Private to the room.
#pragma once

#include "catalog/catalog.h"
#include "domain/ids.h"
#include "tracking/metric_log.h"
#include "tracking/records.h"

namespace slipway::tracking {

/// The tag that mirrors a run's name, as MLflow clients expect.
inline constexpr const char* kRunNameTag = "mlflow.runName";
inline constexpr const char* kParentRunTag = "mlflow.parentRunId";

struct RunRow {
  RunId id;
  std::int64_t number = 0, experiment = 0;
  bool deleted = false;
  bool is_step = false;
};

/// not_found names the run; a run of another project does not exist here.
Result<RunRow> find_run_row(catalog::Connection& connection, const ProjectId& project, const RunId& run);
/// invalid_argument, in the words that MLflow's clients look for.
Result<void> check_active(const RunRow& run);

/// Equal again is fine; a different value is invalid_argument.
Result<void> insert_params(catalog::Connection& connection, const RunRow& run, const KeyValues& params);
/// Replaces; the name tag also renames the run.
Result<void> set_tags(catalog::Connection& connection, const RunRow& run, const KeyValues& tags, Time now);
Result<KeyValues> read_pairs(catalog::Connection& connection, std::string_view sql, std::int64_t owner);

/// Keeps the latest value of a logged model's metric; a model that does not exist is not_found.
Result<void> set_model_metric(catalog::Connection& connection, const ProjectId& project, const RunId& run,
                              const ModelMetric& metric);

}  // namespace slipway::tracking

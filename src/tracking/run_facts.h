// What retention rules judge runs by, and what they do to one, as steps inside somebody's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/ids.h"
#include "domain/run.h"
#include "tracking/point.h"

namespace slipway::tracking {

/// A run with this tag, unless its value is "false", is never deleted by a rule.
inline constexpr std::string_view kPinnedTag = "slipway.pinned";
/// When, and by what, the files of a run were deleted.
inline constexpr std::string_view kFilesDeletedTag = "slipway.artifacts_deleted";

struct RunFacts {
  RunId id;
  std::int64_t number = 0;
  std::string name;
  RunState state = RunState::running;
  Time started_at;
  std::optional<Time> ended_at;
  bool is_pinned = false;
  std::optional<double> value;  // the metric's latest, as far as it is sorted
};

struct ActiveExperiment {
  ExperimentId id;
  std::int64_t number = 0;
  std::string name;
};

Result<std::vector<ActiveExperiment>> active_experiments(catalog::Connection& connection, const ProjectId& project);
/// The runs of an experiment that are not deleted, the newest first.
Result<std::vector<RunFacts>> read_run_facts(catalog::Connection& connection, std::int64_t experiment,
                                             std::optional<MetricNumber> metric);
/// Whether it is there, not deleted and not pinned.
Result<bool> may_be_deleted(catalog::Connection& connection, std::int64_t run);
/// False when it was deleted meanwhile.
Result<bool> mark_run_deleted(catalog::Connection& connection, std::int64_t run, Time now);
Result<void> note_files_deleted(catalog::Connection& connection, const RunId& run, std::int64_t number,
                                const std::string& by, Time now);

}  // namespace slipway::tracking

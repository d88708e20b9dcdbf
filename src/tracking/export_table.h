// Runs, and every point of them, as rows of a table: for other tools.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog/table_writer.h"
#include "tracking/search.h"

namespace slipway::tracking {

/// Opens the file once its columns are known.
using OpenTable = std::function<Result<catalog::TableWriter*>(const std::vector<catalog::TableColumn>& columns)>;

/// A row for each run that passes, in the query's order: id, name, experiment_name, state, member, started_at,
/// ended_at, then parameters.* and tags.* (text) and the latest metrics.* (numbers). The columns are those that the
/// runs have: they are read twice, and a key that comes in between is left out. At most `columns_max` columns, else
/// too_large. `member_name` says who a run belongs to.
Result<void> export_runs(Search& search, RunQuery query, size_t columns_max,
                         const std::function<std::string(const Run&)>& member_name, const OpenTable& open);

/// A row for each point of each run that passes: run, name, metric, step, time, value. Memory is that of one series.
Result<void> export_points(Search& search, const Metrics& metrics, RunQuery query, const OpenTable& open);

}  // namespace slipway::tracking

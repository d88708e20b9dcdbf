// What becomes of a project's runs, experiments and metrics when the project goes, as steps inside somebody's
// transaction; src/retention puts it together with the other rooms.
#pragma once

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/ids.h"

namespace slipway::tracking {

/// Points of unsorted batches and segments that one transaction rewrites: some seconds of the database's writer.
inline constexpr std::int64_t kPointsRewrittenMax = 20'000'000;

/// Takes at most `most` runs of the project away, deleted or not, and notes them as begin_run_erasure() does; once
/// there are none, its experiments in the same way. How many; 0 when nothing is left.
Result<std::int64_t> begin_erasures_of_project(catalog::Connection& connection, const ProjectId& project, Time now,
                                               std::int64_t most);

/// Makes the metrics of all runs of `from` metrics of `to`: a name that both have gets the number it has there, in
/// every point. Before the runs themselves move. failed_precondition when more points than the limit would have to be
/// rewritten. What a sorter worked out before is refused afterwards.
Result<void> move_metrics(catalog::Connection& connection, const ProjectId& from, const ProjectId& to);

}  // namespace slipway::tracking

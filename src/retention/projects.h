// What becomes of what a project holds when the project goes: it all goes with it, or it all becomes another project's.
//
// Both are one transaction in somebody's hands, the one that takes the project's name away. Moving is done with it.
// Erasing only begins there: nobody sees any of it from then on, a note in project_erasures says so, and
// erase_some_of_projects() removes the rows in as many transactions as it takes, whoever calls it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/ids.h"

namespace slipway::retention {

/// Runs that one transaction takes away, rows that it removes, or things with all that belongs to them.
inline constexpr std::int64_t kProjectRunsAtOnce = 100;
inline constexpr std::int64_t kProjectRowsAtOnce = 1'000;
inline constexpr std::int64_t kProjectThingsAtOnce = 20;
/// Names in the sentence about what both projects have.
inline constexpr size_t kConflictsNamedMax = 20;

/// failed_precondition while something of the project is at work (a run, a pipeline, an evaluation), it has a
/// deployment, or a model of another project was made of what it holds.
Result<void> begin_project_erasure(catalog::Connection& connection, const ProjectId& project, Time now);
/// One transaction's worth of what was begun, but for the runs and experiments that are noted as on their way out.
/// False: nothing is left of any such project.
Result<bool> erase_some_of_projects(catalog::Connection& connection, Time now);

/// failed_precondition as above, and by name for everything that both have. Rules, kept answers and the trail stay
/// where they are; so does the experiment that was made by itself, as long as it is empty.
Result<void> move_project(catalog::Connection& connection, const ProjectId& from, const ProjectId& to);

/// How a table hangs on its project.
struct ProjectTable {
  std::string_view name;
  std::string_view key;                                                   // of its rows, for those that name them
  std::vector<std::pair<std::string_view, std::string_view>> belongings;  // tables and the column that has the key
};
/// Every table with a project_id whose rows go as they are.
const std::vector<ProjectTable>& project_tables();

}  // namespace slipway::retention

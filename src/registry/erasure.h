// What removing a run for good asks of the registry, as steps inside somebody's transaction: whether something that was
// made from the run is still there, and the removal of the names it has here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "domain/ids.h"
#include "registry/artifacts.h"

namespace slipway::registry {

/// Why a run must stay: a model version or a commit of a dataset, neither removed, came from it. nullopt: for nothing
/// here.
Result<std::optional<std::string>> need_of_run(catalog::Connection& connection, const RunId& run);
/// The same for a logged model: a version was made of it.
Result<std::optional<std::string>> need_of_logged_model(catalog::Connection& connection, std::string_view model);
/// Runs that took an output of this one as an input.
Result<std::vector<RunId>> runs_fed_by(catalog::Connection& connection, const RunId& run);

/// Bytes of the files that an owner keeps, each path counted.
Result<std::int64_t> artifact_bytes(catalog::Connection& connection, OwnerKind kind, std::string_view id);

/// Removes at most `rows_max` of an owner's files; how many those were. The blobs stay until a sweep.
Result<std::int64_t> erase_artifacts(catalog::Connection& connection, OwnerKind kind, std::string_view id,
                                     std::int64_t rows_max);
/// Removes at most about twice `rows_max` edges from and to a run.
Result<std::int64_t> erase_lineage(catalog::Connection& connection, std::string_view run, std::int64_t rows_max);

}  // namespace slipway::registry

// What removing a run for good asks of this room, as steps inside somebody's transaction.
#pragma once

#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "domain/ids.h"

namespace slipway::runs {

/// Why a run must stay: its execution is not over. nullopt: for nothing here.
Result<std::optional<std::string>> need_of_run(catalog::Connection& connection, const RunId& run);
/// Bytes of the run's log as they lie in the database, compressed.
Result<std::int64_t> log_bytes(catalog::Connection& connection, const RunId& run);
/// Removes about `rows_max` rows of execution, attempts, log, documents and outputs. Fewer: nothing is left.
Result<std::int64_t> erase_run_rows(catalog::Connection& connection, const RunId& run, std::int64_t rows_max);

}  // namespace slipway::runs

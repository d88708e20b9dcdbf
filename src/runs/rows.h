// The SQL of runs, as functions inside somebody's transaction.
#pragma once

#include "runs/runs.h"

namespace slipway::runs::rows {

Result<void> insert_draft(catalog::Connection& connection, const Execution& execution);
Result<void> draft_to_queued(catalog::Connection& connection, const RunId& run);
Result<void> delete_draft(catalog::Connection& connection, const RunId& run);
Result<std::vector<std::pair<RunId, ProjectId>>> drafts(catalog::Connection& connection, Time created_before);

Result<std::optional<RunId>> run_of_key(catalog::Connection& connection, const ProjectId& project,
                                        const std::string& key);
Result<void> put_manifest(catalog::Connection& connection, const Hash& tree, const Hash& manifest, Time now);
Result<std::optional<std::string>> manifest(catalog::Connection& connection, const std::string& tree);

Result<std::optional<Execution>> execution(catalog::Connection& connection, const RunId& run);
/// Running and stopping ones, and the oldest `queued_max` queued ones.
Result<std::vector<Execution>> open_executions(catalog::Connection& connection, std::int64_t queued_max);
Result<std::int64_t> count_queued(catalog::Connection& connection);
Result<void> update_execution(catalog::Connection& connection, const Execution& execution);
/// queued -> running; false when it was not queued any more.
Result<bool> take_from_queue(catalog::Connection& connection, const RunId& run, Time now);
Result<std::vector<RunId>> untold(catalog::Connection& connection);
Result<void> set_told(catalog::Connection& connection, const RunId& run, RunState state);

Result<void> insert_attempt(catalog::Connection& connection, const Attempt& attempt);
Result<void> update_attempt(catalog::Connection& connection, const Attempt& attempt);
Result<std::optional<Attempt>> attempt(catalog::Connection& connection, const AttemptId& id);
Result<std::vector<Attempt>> attempts(catalog::Connection& connection, const RunId& run);
Result<std::vector<Attempt>> open_attempts(catalog::Connection& connection);
Result<ComputingTime> computing_time(catalog::Connection& connection, const ProjectId& project, Time now);

Result<void> put_document(catalog::Connection& connection, const RunId& run, std::string_view kind,
                          const std::string& document, Time now);
Result<std::optional<std::string>> document(catalog::Connection& connection, const RunId& run, std::string_view kind);

Result<void> put_output(catalog::Connection& connection, const RunId& run, const RunOutput& output);
Result<std::vector<RunOutput>> outputs(catalog::Connection& connection, const RunId& run);

}  // namespace slipway::runs::rows

#include "runs/erasure.h"

namespace slipway::runs {

using catalog::Connection;
using catalog::Row;

Result<std::optional<std::string>> need_of_run(Connection& connection, const RunId& run) {
  return connection.first(
      "SELECT state FROM executions WHERE run_id = ? AND (state NOT IN ('finished', 'failed', 'killed') OR told_state <> state)",
      {run.text}, [](const Row& row) { return "its execution is not over, but " + std::string(row.text(0)); });
}

Result<std::int64_t> log_bytes(Connection& connection, const RunId& run) {
  const std::string_view sql =
      connection.is_postgres()
          ? "SELECT CAST(COALESCE(SUM(octet_length(bytes)), 0) AS BIGINT) FROM run_logs WHERE run_id = ?"
          : "SELECT COALESCE(SUM(length(bytes)), 0) FROM run_logs WHERE run_id = ?";
  return TRY(connection.first(sql, {run.text}, [](const Row& row) { return row.integer(0); })).value_or(0);
}

Result<std::int64_t> erase_run_rows(Connection& connection, const RunId& run, std::int64_t rows_max) {
  const std::int64_t chunks = TRY(connection.run(
      "DELETE FROM run_logs WHERE run_id = ? AND start_at IN (SELECT start_at FROM run_logs WHERE run_id = ? LIMIT ?)",
      {run.text, run.text, rows_max}));
  if (chunks >= rows_max) return chunks;
  std::int64_t rows = chunks;
  // The rest is a handful; attempts name their execution.
  for (const std::string_view sql :
       {"DELETE FROM run_documents WHERE run_id = ?", "DELETE FROM run_outputs WHERE run_id = ?",
        "DELETE FROM attempts WHERE run_id = ?", "DELETE FROM executions WHERE run_id = ?"})
    rows += TRY(connection.run(sql, {run.text}));
  return rows;
}

}  // namespace slipway::runs

#include "runs/rows.h"

namespace slipway::runs::rows {
namespace {

using catalog::Row;
using catalog::Value;

Value maybe(const std::optional<Time>& time) { return time ? Value(time->micros) : Value(nullptr); }
std::optional<Time> maybe_time(const Row& row, int column) {
  const auto micros = row.maybe_integer(column);
  return micros ? std::optional(Time{*micros}) : std::nullopt;
}
std::int64_t as_integer(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

constexpr std::string_view kExecutionsByRun =
    "SELECT run_id, project_id, member_id, member_name, state, spec, inputs, manifest, created_at, queued_at, not_before, started_at, ended_at, "
    "attempts_made, stop_asked_at, stop_grace_us, message, log_bytes, told_state FROM executions WHERE run_id = ? AND state <> 'draft'";
constexpr std::string_view kExecutionsInHand =
    "SELECT run_id, project_id, member_id, member_name, state, spec, inputs, manifest, created_at, queued_at, not_before, started_at, ended_at, "
    "attempts_made, stop_asked_at, stop_grace_us, message, log_bytes, told_state FROM executions WHERE state IN ('running', 'stopping') ORDER BY run_id";
constexpr std::string_view kExecutionsQueued =
    "SELECT run_id, project_id, member_id, member_name, state, spec, inputs, manifest, created_at, queued_at, not_before, started_at, ended_at, "
    "attempts_made, stop_asked_at, stop_grace_us, message, log_bytes, told_state FROM executions WHERE state = 'queued' ORDER BY queued_at, run_id LIMIT ?";

/// A row that we wrote and cannot read was damaged from outside; it is an error, not a crash.
Result<Execution> execution_of(const Row& row) {
  Execution out;
  out.run = RunId(row.text(0));
  out.project = ProjectId(row.text(1));
  out.member = MemberId(row.text(2));
  out.member_name = std::string(row.text(3));
  const auto state = parse_run_state(row.text(4));
  if (!state) return Error{ErrorCode::data_loss, "the execution of run " + out.run.text + " has an unknown state"};
  out.state = *state;
  out.spec = TRY(parse_run_spec(TRY(Json::parse(row.text(5)))));
  out.inputs = TRY(parse_resolved_inputs(TRY(Json::parse(row.text(6)))));
  out.manifest = std::string(row.text(7));
  out.created_at = Time{row.integer(8)};
  out.queued_at = Time{row.integer(9)};
  out.not_before = Time{row.integer(10)};
  out.started_at = maybe_time(row, 11);
  out.ended_at = maybe_time(row, 12);
  out.attempts_made = row.integer(13);
  out.stop_asked_at = maybe_time(row, 14);
  if (const auto grace = row.maybe_integer(15)) out.stop_grace = Duration(*grace);
  out.message = std::string(row.text(16));
  out.log_bytes = as_unsigned(row.integer(17));
  out.is_told = row.text(18) == row.text(4);
  return out;
}

constexpr std::string_view kAttemptById =
    "SELECT id, run_id, number, node, state, phase, pid, start_ticks, command_pid, started_at, heartbeat_at, cpu_s, memory_bytes, ended_at, "
    "end_reason, exit_code, signal, message, log_from FROM attempts WHERE id = ?";
constexpr std::string_view kAttemptsByRun =
    "SELECT id, run_id, number, node, state, phase, pid, start_ticks, command_pid, started_at, heartbeat_at, cpu_s, memory_bytes, ended_at, "
    "end_reason, exit_code, signal, message, log_from FROM attempts WHERE run_id = ? ORDER BY number";
constexpr std::string_view kAttemptsOpen =
    "SELECT id, run_id, number, node, state, phase, pid, start_ticks, command_pid, started_at, heartbeat_at, cpu_s, memory_bytes, ended_at, "
    "end_reason, exit_code, signal, message, log_from FROM attempts WHERE state <> 'over' ORDER BY run_id";

AttemptState attempt_state_of(std::string_view text) {
  if (text == "starting") return AttemptState::starting;
  return text == "running" ? AttemptState::running : AttemptState::over;
}

Attempt attempt_of(const Row& row) {
  Attempt out;
  out.id = AttemptId(row.text(0));
  out.run = RunId(row.text(1));
  out.number = row.integer(2);
  out.node = std::string(row.text(3));
  out.state = attempt_state_of(row.text(4));
  out.phase = std::string(row.text(5));
  out.pid = row.integer(6);
  out.start_ticks = as_unsigned(row.integer(7));
  out.command_pid = row.integer(8);
  out.started_at = Time{row.integer(9)};
  out.heartbeat_at = Time{row.integer(10)};
  out.cpu_s = row.number(11);
  out.memory_bytes = as_unsigned(row.integer(12));
  out.ended_at = maybe_time(row, 13);
  if (const auto end = parse_attempt_end(row.text(14))) {
    out.result = AttemptResult{*end, static_cast<int>(row.integer(15)), static_cast<int>(row.integer(16)),
                               std::string(row.text(17))};
  }
  out.log_from = as_unsigned(row.integer(18));
  return out;
}

Result<std::vector<Execution>> read_executions(catalog::Connection& connection, std::string_view sql,
                                               const catalog::Values& values) {
  std::vector<Execution> out;
  for (auto& each : TRY(connection.rows(sql, values, execution_of))) out.push_back(TRY(std::move(each)));
  return out;
}

Result<void> done(const Result<std::int64_t>& changed) {
  if (!changed.ok()) return changed.error();
  return {};
}

}  // namespace

Result<void> insert_draft(catalog::Connection& connection, const Execution& execution) {
  return done(connection.run(
      "INSERT INTO executions (run_id, project_id, member_id, member_name, state, told_state, spec, inputs, manifest, created_at, queued_at, request_key) "
      "VALUES (?, ?, ?, ?, 'draft', 'draft', ?, ?, ?, ?, ?, ?)",
      {execution.run.text, execution.project.text, execution.member.text, execution.member_name,
       to_json(execution.spec).render(), to_json(execution.inputs).render(), execution.manifest,
       execution.created_at.micros, execution.queued_at.micros,
       execution.request_key.empty() ? Value(nullptr) : Value(execution.request_key)}));
}

Result<std::optional<RunId>> run_of_key(catalog::Connection& connection, const ProjectId& project,
                                        const std::string& key) {
  return connection.first("SELECT run_id FROM executions WHERE project_id = ? AND request_key = ?", {project.text, key},
                          [](const Row& row) { return RunId(row.text(0)); });
}

Result<void> put_manifest(catalog::Connection& connection, const Hash& tree, const Hash& manifest, Time now) {
  return done(
      connection.run("INSERT INTO snapshots (tree, manifest, at) VALUES (?, ?, ?) "
                     "ON CONFLICT (tree) DO UPDATE SET manifest = excluded.manifest, at = excluded.at",
                     {render(tree), render(manifest), now.micros}));
}

Result<std::optional<std::string>> manifest(catalog::Connection& connection, const std::string& tree) {
  return connection.first("SELECT manifest FROM snapshots WHERE tree = ?", {tree},
                          [](const Row& row) { return std::string(row.text(0)); });
}

Result<void> draft_to_queued(catalog::Connection& connection, const RunId& run) {
  return done(connection.run(
      "UPDATE executions SET state = 'queued', told_state = 'queued' WHERE run_id = ? AND state = 'draft'",
      {run.text}));
}

Result<void> delete_draft(catalog::Connection& connection, const RunId& run) {
  return done(connection.run("DELETE FROM executions WHERE run_id = ? AND state = 'draft'", {run.text}));
}

Result<std::vector<std::pair<RunId, ProjectId>>> drafts(catalog::Connection& connection, Time created_before) {
  return connection.rows("SELECT run_id, project_id FROM executions WHERE state = 'draft' AND created_at < ?",
                         {created_before.micros},
                         [](const Row& row) { return std::pair(RunId(row.text(0)), ProjectId(row.text(1))); });
}

Result<std::optional<Execution>> execution(catalog::Connection& connection, const RunId& run) {
  auto found = TRY(read_executions(connection, kExecutionsByRun, {run.text}));
  return found.empty() ? std::optional<Execution>() : std::optional(std::move(found[0]));
}

Result<std::vector<Execution>> open_executions(catalog::Connection& connection, std::int64_t queued_max) {
  auto out = TRY(read_executions(connection, kExecutionsInHand, {}));
  for (Execution& each : TRY(read_executions(connection, kExecutionsQueued, {queued_max})))
    out.push_back(std::move(each));
  return out;
}

Result<std::int64_t> count_queued(catalog::Connection& connection) {
  return TRY(connection.first("SELECT COUNT(*) FROM executions WHERE state = 'queued'", {},
                              [](const Row& row) { return row.integer(0); }))
      .value_or(0);
}

Result<void> update_execution(catalog::Connection& connection, const Execution& execution) {
  const Value grace =
      execution.stop_grace ? Value(static_cast<std::int64_t>(execution.stop_grace->count())) : Value(nullptr);
  return done(connection.run(
      "UPDATE executions SET state = ?, queued_at = ?, not_before = ?, started_at = ?, ended_at = ?, attempts_made = ?, stop_asked_at = ?, "
      "stop_grace_us = ?, message = ?, log_bytes = ? WHERE run_id = ?",
      {std::string(name(execution.state)), execution.queued_at.micros, execution.not_before.micros,
       maybe(execution.started_at), maybe(execution.ended_at), execution.attempts_made, maybe(execution.stop_asked_at),
       grace, execution.message, as_integer(execution.log_bytes), execution.run.text}));
}

Result<bool> take_from_queue(catalog::Connection& connection, const RunId& run, Time now) {
  const std::int64_t taken = TRY(connection.run(
      "UPDATE executions SET state = 'running', attempts_made = attempts_made + 1, started_at = COALESCE(started_at, ?) "
      "WHERE run_id = ? AND state = 'queued'",
      {now.micros, run.text}));
  return taken == 1;
}

Result<std::vector<RunId>> untold(catalog::Connection& connection) {
  return connection.rows("SELECT run_id FROM executions WHERE state <> told_state", {},
                         [](const Row& row) { return RunId(row.text(0)); });
}

Result<void> set_told(catalog::Connection& connection, const RunId& run, RunState state) {
  return done(
      connection.run("UPDATE executions SET told_state = ? WHERE run_id = ?", {std::string(name(state)), run.text}));
}

Result<void> insert_attempt(catalog::Connection& connection, const Attempt& attempt) {
  return done(connection.run(
      "INSERT INTO attempts (id, run_id, number, node, state, started_at, heartbeat_at, log_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {attempt.id.text, attempt.run.text, attempt.number, attempt.node, std::string(name(attempt.state)),
       attempt.started_at.micros, attempt.heartbeat_at.micros, as_integer(attempt.log_from)}));
}

Result<void> update_attempt(catalog::Connection& connection, const Attempt& attempt) {
  const auto& result = attempt.result;
  return done(connection.run(
      "UPDATE attempts SET state = ?, phase = ?, pid = ?, start_ticks = ?, command_pid = ?, heartbeat_at = ?, cpu_s = ?, memory_bytes = ?, "
      "ended_at = ?, end_reason = ?, exit_code = ?, signal = ?, message = ? WHERE id = ?",
      {std::string(name(attempt.state)), attempt.phase, attempt.pid, as_integer(attempt.start_ticks),
       attempt.command_pid, attempt.heartbeat_at.micros, attempt.cpu_s, as_integer(attempt.memory_bytes),
       maybe(attempt.ended_at), result ? Value(std::string(slipway::name(result->end))) : Value(nullptr),
       result ? Value(static_cast<std::int64_t>(result->exit_code)) : Value(nullptr),
       result ? Value(static_cast<std::int64_t>(result->signal)) : Value(nullptr),
       result ? result->message : std::string(), attempt.id.text}));
}

Result<std::optional<Attempt>> attempt(catalog::Connection& connection, const AttemptId& id) {
  return connection.first(kAttemptById, {id.text}, attempt_of);
}

Result<std::vector<Attempt>> attempts(catalog::Connection& connection, const RunId& run) {
  return connection.rows(kAttemptsByRun, {run.text}, attempt_of);
}

Result<std::vector<Attempt>> open_attempts(catalog::Connection& connection) {
  return connection.rows(kAttemptsOpen, {}, attempt_of);
}

Result<ComputingTime> computing_time(catalog::Connection& connection, const ProjectId& project, Time now) {
  return TRY(connection.first(
                 "SELECT COUNT(*), CAST(COALESCE(SUM(COALESCE(a.ended_at, ?) - a.started_at), 0) AS BIGINT), COALESCE(SUM(a.cpu_s), 0.0) "
                 "FROM attempts a JOIN executions e ON e.run_id = a.run_id WHERE e.project_id = ?",
                 {now.micros, project.text},
                 [](const Row& row) {
                   return ComputingTime{row.integer(0), Duration(row.integer(1)), row.number(2)};
                 }))
      .value_or(ComputingTime{});
}

Result<void> put_document(catalog::Connection& connection, const RunId& run, std::string_view kind,
                          const std::string& document, Time now) {
  return done(
      connection.run("INSERT INTO run_documents (run_id, kind, document, at) VALUES (?, ?, ?, ?) "
                     "ON CONFLICT (run_id, kind) DO UPDATE SET document = excluded.document, at = excluded.at",
                     {run.text, std::string(kind), document, now.micros}));
}

Result<std::optional<std::string>> document(catalog::Connection& connection, const RunId& run, std::string_view kind) {
  return connection.first("SELECT document FROM run_documents WHERE run_id = ? AND kind = ?",
                          {run.text, std::string(kind)}, [](const Row& row) { return std::string(row.text(0)); });
}

Result<void> put_output(catalog::Connection& connection, const RunId& run, const RunOutput& output) {
  return done(connection.run(
      "INSERT INTO run_outputs (run_id, name, path, hash, is_tree, bytes, model, version, dataset, commit_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (run_id, name) DO UPDATE SET path = excluded.path, hash = excluded.hash, is_tree = excluded.is_tree, bytes = excluded.bytes, "
      "model = excluded.model, version = excluded.version, dataset = excluded.dataset, commit_id = excluded.commit_id",
      {run.text, output.name, output.path, render(output.hash), std::int64_t{output.is_tree}, as_integer(output.bytes),
       output.model, output.version, output.dataset, output.commit}));
}

Result<std::vector<RunOutput>> outputs(catalog::Connection& connection, const RunId& run) {
  return connection.rows(
      "SELECT name, path, hash, is_tree, bytes, model, version, dataset, commit_id FROM run_outputs WHERE run_id = ? ORDER BY name",
      {run.text}, [](const Row& row) {
        RunOutput out;
        out.name = std::string(row.text(0));
        out.path = std::string(row.text(1));
        out.hash = parse_hash(row.text(2)).value_or(Hash{});
        out.is_tree = row.integer(3) != 0;
        out.bytes = as_unsigned(row.integer(4));
        out.model = std::string(row.text(5));
        out.version = row.integer(6);
        out.dataset = std::string(row.text(7));
        out.commit = std::string(row.text(8));
        return out;
      });
}

}  // namespace slipway::runs::rows

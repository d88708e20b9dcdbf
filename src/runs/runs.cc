#include "runs/runs.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "runs/rows.h"
#include "tracking/resumes.h"

namespace slipway::runs {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Write;

constexpr std::int64_t kQueuedLookedAt = 1000;  // of the queue's head, each time the loop places
constexpr Duration kBeatWriteInterval = std::chrono::seconds(5);

Error over(const Attempt& attempt) {
  return Error{ErrorCode::failed_precondition,
               fmt::format("attempt {} of run {} is over", attempt.number, attempt.run.text)};
}

Error no_attempt(const AttemptId& id) {
  return Error{ErrorCode::not_found, "there is no attempt " + clean_utf8(id.text, 100)};
}

Result<Execution> require_execution(Connection& connection, const RunId& run) {
  auto found = TRY(rows::execution(connection, run));
  if (!found)
    return Error{ErrorCode::not_found, "there is no run " + clean_utf8(run.text, 100) + " that Slipway executes"};
  return *std::move(found);
}

Result<Attempt> require_open(Connection& connection, const AttemptId& id) {
  auto found = TRY(rows::attempt(connection, id));
  if (!found) return no_attempt(id);
  if (found->state == AttemptState::over) return over(*found);
  return *std::move(found);
}

}  // namespace

std::string_view name(AttemptState state) {
  switch (state) {
    case AttemptState::starting: return "starting";
    case AttemptState::running: return "running";
    case AttemptState::over: return "over";
  }
  return "over";
}

void Runs::changed(const Execution& execution, EventKind kind) {
  if (events_) events_->emit({kind, execution.project, execution.run.text});
  if (kind != EventKind::run_changed) return;
  const std::function<void()> wake = *changed_.lock();
  wake();
}

Result<Execution> Runs::get(const ProjectId& project, const RunId& run) {
  Execution execution =
      TRY(database_.read_value([&](Connection& connection) { return require_execution(connection, run); }));
  if (execution.project != project)
    return Error{ErrorCode::not_found, "there is no run " + clean_utf8(run.text, 100) + " in this project"};
  return execution;
}

Result<std::vector<Attempt>> Runs::attempts(const ProjectId& project, const RunId& run) {
  TRY(get(project, run));
  return database_.read_value([&](Connection& connection) { return rows::attempts(connection, run); });
}

Result<ComputingTime> Runs::computing_time(const ProjectId& project) {
  return database_.read_value(
      [&](Connection& connection) { return rows::computing_time(connection, project, clock_.now()); });
}

Result<std::vector<RunOutput>> Runs::outputs(const ProjectId& project, const RunId& run) {
  TRY(get(project, run));
  return database_.read_value([&](Connection& connection) { return rows::outputs(connection, run); });
}

Result<Json> Runs::document(const ProjectId& project, const RunId& run, std::string_view kind) {
  TRY(get(project, run));
  const auto text =
      TRY(database_.read_value([&](Connection& connection) { return rows::document(connection, run, kind); }));
  if (!text) return Json();
  return Json::parse(*text);
}

Result<void> Runs::stop(const ProjectId& project, const RunId& run, std::optional<Duration> grace) {
  TRY(get(project, run));
  const Execution execution =
      TRY(database_.write_value(Durability::record, [&](Connection& connection) -> Result<Execution> {
        Execution now = TRY(require_execution(connection, run));
        if (is_over(now.state)) {
          return Error{ErrorCode::failed_precondition,
                       fmt::format("run {} is over already ({})", run.text, slipway::name(now.state))};
        }
        if (!now.stop_asked_at) now.stop_asked_at = clock_.now();
        if (grace) now.stop_grace = grace;
        if (now.state == RunState::queued) {
          now.state = RunState::killed;
          now.ended_at = clock_.now();
          now.message = "stopped before it began";
        } else {
          now.state = RunState::stopping;
        }
        TRY(rows::update_execution(connection, now));
        return now;
      }));
  TRY(tell(run));
  changed(execution, EventKind::run_changed);
  return {};
}

// --- the runner ----------------------------------------------------------------------------------------------------

Result<Attempt> Runs::attempt(const AttemptId& id) {
  auto found = TRY(database_.read_value([&](Connection& connection) { return rows::attempt(connection, id); }));
  if (!found) return no_attempt(id);
  return *std::move(found);
}

Result<AttemptPlan> Runs::plan(const AttemptId& id) {
  return database_.read_value([&](Connection& connection) -> Result<AttemptPlan> {
    const Attempt attempt = TRY(require_open(connection, id));
    Execution execution = TRY(require_execution(connection, attempt.run));
    AttemptPlan plan;
    plan.run = execution.run;
    plan.spec = std::move(execution.spec);
    plan.inputs = std::move(execution.inputs);
    plan.variables = {{"SLIPWAY_PROJECT", execution.project.text}, {"SLIPWAY_ATTEMPT", std::to_string(attempt.number)}};
    return plan;
  });
}

Result<HeartbeatAnswer> Runs::heartbeat(const AttemptId& id, const Heartbeat& beat) {
  const Time now = clock_.now();
  const auto [attempt, execution] =
      TRY(database_.read_value([&](Connection& connection) -> Result<std::pair<Attempt, Execution>> {
        Attempt open = TRY(require_open(connection, id));
        Execution of = TRY(require_execution(connection, open.run));
        return std::pair(std::move(open), std::move(of));
      }));
  // A beat every second would be a write every second for each run; what matters is kept every few seconds and when it
  // changes.
  bool due = false;
  {
    auto beats = beats_.lock();
    Beat& last = (*beats)[id];
    due = last.phase != beat.phase || now - last.written_at >= kBeatWriteInterval ||
          attempt.state == AttemptState::starting;
    if (due) last = {now, beat.phase};
  }
  if (due) {
    TRY(database_.write(Durability::stream, Write([&](Connection& connection) -> Result<void> {
                          Attempt row = TRY(require_open(connection, id));
                          row.state = AttemptState::running;
                          row.phase = beat.phase;
                          row.command_pid = beat.pid;
                          row.heartbeat_at = now;
                          row.cpu_s = std::max(row.cpu_s, beat.cpu_s);
                          row.memory_bytes = beat.memory_bytes;
                          return rows::update_attempt(connection, row);
                        })));
  }
  return HeartbeatAnswer{execution.stop_asked_at.has_value(), execution.stop_grace};
}

Result<std::uint64_t> Runs::append_log(const AttemptId& id, std::uint64_t offset, std::string_view bytes) {
  Execution execution;
  bool grew = false;
  const std::uint64_t next =
      TRY(database_.write_value(Durability::stream, [&](Connection& connection) -> Result<std::uint64_t> {
        const Attempt attempt = TRY(require_open(connection, id));
        execution = TRY(require_execution(connection, attempt.run));
        const std::uint64_t have = execution.log_bytes - std::min(execution.log_bytes, attempt.log_from);
        grew = false;
        // A gap: the runner is told how far we are and sends from there. What we have already is passed over.
        if (offset > have || offset + bytes.size() <= have) return have;
        const std::string_view fresh = bytes.substr(have - offset);
        if (execution.log_bytes + fresh.size() > kRunLogBytesMax)
          return offset + bytes.size();  // taken and dropped: the log is full
        TRY(runs::append_log(connection, attempt.run, execution.log_bytes, fresh));
        execution.log_bytes += fresh.size();
        TRY(rows::update_execution(connection, execution));
        grew = true;
        return have + fresh.size();
      }));
  if (grew) changed(execution, EventKind::log_changed);
  return next;
}

Result<void> Runs::record(const AttemptId& id, const Json& documents) {
  Execution execution;
  TRY(database_.write(
      Durability::record, Write([&](Connection& connection) -> Result<void> {
        const Attempt attempt = TRY(require_open(connection, id));
        execution = TRY(require_execution(connection, attempt.run));
        for (const auto& [kind, document] : documents.object()) {
          if (kind != "environment" && kind != "machine") {
            return Error{
                ErrorCode::invalid_argument,
                fmt::format("'{}' is nothing a run keeps; expected environment or machine", clean_utf8(kind, 60))};
          }
          const std::string text = document.render();
          if (text.size() > kDocumentBytesMax)
            return Error{ErrorCode::too_large, fmt::format("the document '{}' is larger than 8 MiB", kind)};
          TRY(rows::put_document(connection, attempt.run, kind, text, clock_.now()));
        }
        return {};
      })));
  changed(execution, EventKind::run_changed);
  return {};
}

Result<void> Runs::end(const AttemptId& id, const AttemptResult& result) {
  const Time now = clock_.now();
  Execution execution;
  const bool ended = TRY(database_.write_value(Durability::record, [&](Connection& connection) -> Result<bool> {
    auto attempt = TRY(rows::attempt(connection, id));
    if (!attempt) return no_attempt(id);
    execution = TRY(require_execution(connection, attempt->run));
    if (attempt->state == AttemptState::over) return false;
    attempt->state = AttemptState::over;
    attempt->ended_at = now;
    attempt->result = result;
    TRY(rows::update_attempt(connection, *attempt));
    const Next next =
        after_end(result, execution.spec.retry, execution.attempts_made, execution.stop_asked_at.has_value());
    std::string note;
    if (const auto* again = std::get_if<TryAgain>(&next)) {
      execution.state = RunState::queued;
      execution.not_before = now + again->wait;
      note = fmt::format("slipway: attempt {} of {} ended ({}); trying again\n", execution.attempts_made,
                         execution.spec.retry.attempts, result.message);
    } else {
      execution.state = std::get<Finish>(next).state;
      execution.ended_at = now;
      if (result.end == AttemptEnd::lost) note = "slipway: the attempt was lost: " + result.message + "\n";
    }
    execution.message = result.message;
    if (!note.empty()) {
      TRY(runs::append_log(connection, execution.run, execution.log_bytes, note));
      execution.log_bytes += note.size();
    }
    TRY(rows::update_execution(connection, execution));
    return true;
  }));
  if (!ended) return {};
  beats_.lock()->erase(id);
  TRY(tell(execution.run));
  changed(execution, EventKind::log_changed);
  changed(execution, EventKind::run_changed);
  return {};
}

// --- the loop ------------------------------------------------------------------------------------------------------

Result<std::vector<Runs::Open>> Runs::open() {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<Open>> {
    std::map<RunId, Attempt> attempts;
    for (Attempt& each : TRY(rows::open_attempts(connection))) attempts.emplace(each.run, std::move(each));
    std::vector<Open> all;
    for (Execution& each : TRY(rows::open_executions(connection, kQueuedLookedAt))) {
      const auto at = attempts.find(each.run);
      all.push_back({std::move(each), at == attempts.end() ? std::nullopt : std::optional(at->second)});
    }
    return all;
  });
}

Result<std::optional<Attempt>> Runs::claim(const RunId& run, const std::string& node) {
  Execution execution;
  auto attempt =
      TRY(database_.write_value(Durability::record, [&](Connection& connection) -> Result<std::optional<Attempt>> {
        if (!TRY(rows::take_from_queue(connection, run, clock_.now()))) return std::optional<Attempt>();
        execution = TRY(require_execution(connection, run));
        Attempt fresh;
        fresh.id = new_id<AttemptId>(clock_);
        fresh.run = run;
        fresh.number = execution.attempts_made;
        fresh.node = node;
        fresh.started_at = fresh.heartbeat_at = clock_.now();
        fresh.log_from = execution.log_bytes;
        TRY(rows::insert_attempt(connection, fresh));
        if (fresh.number > 1) TRY(tracking::note_resume(connection, run, fresh.started_at));
        return std::optional(fresh);
      }));
  if (attempt) {
    TRY(tell(run));
    changed(execution, EventKind::run_changed);
  }
  return attempt;
}

Result<void> Runs::started(const AttemptId& id, std::int64_t pid, std::uint64_t start_ticks) {
  return database_.write(Durability::record, Write([&](Connection& connection) -> Result<void> {
                           auto attempt = TRY(rows::attempt(connection, id));
                           if (!attempt) return no_attempt(id);
                           attempt->pid = pid;
                           attempt->start_ticks = start_ticks;
                           return rows::update_attempt(connection, *attempt);
                         }));
}

Result<void> Runs::finish_queued(const RunId& run, RunState state, const std::string& message) {
  Execution execution;
  TRY(database_.write(Durability::record, Write([&](Connection& connection) -> Result<void> {
                        execution = TRY(require_execution(connection, run));
                        if (execution.state != RunState::queued) return {};
                        execution.state = state;
                        execution.ended_at = clock_.now();
                        execution.message = message;
                        const std::string note = "slipway: " + message + "\n";
                        TRY(runs::append_log(connection, run, execution.log_bytes, note));
                        execution.log_bytes += note.size();
                        return rows::update_execution(connection, execution);
                      })));
  TRY(tell(run));
  changed(execution, EventKind::run_changed);
  return {};
}

/// Brings tracking's row to the execution's state. What fails here is told again by tell_all().
Result<void> Runs::tell(const RunId& run) {
  const Execution execution =
      TRY(database_.read_value([&](Connection& connection) { return require_execution(connection, run); }));
  tracking::RunUpdate update;
  update.state = execution.state;
  // What never began took no time, however long it waited.
  update.started_at = execution.started_at ? execution.started_at : execution.ended_at;
  if (execution.ended_at) update.ended_at = execution.ended_at;
  auto told = tracking_.runs().update(execution.project, run, update);
  // A deleted run takes no news; its execution still comes to its end.
  if (!told.ok() && told.error().code != ErrorCode::not_found && told.error().code != ErrorCode::invalid_argument)
    return told;
  return database_.write(Durability::record, Write([&](Connection& connection) {
                           return rows::set_told(connection, run, execution.state);
                         }));
}

Result<void> Runs::tell_all() {
  TRY(finish_drafts());
  for (const RunId& run : TRY(database_.read_value([](Connection& connection) { return rows::untold(connection); }))) {
    if (const auto told = tell(run); !told.ok()) {
      log_warning("runs", "tracking could not be told of a run's state",
                  {{"run", run.text}, {"error", told.error().message}});
    }
  }
  return {};
}

}  // namespace slipway::runs

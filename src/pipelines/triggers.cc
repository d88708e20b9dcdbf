#include "pipelines/triggers.h"

#include <fmt/format.h>

#include <set>

#include "base/log.h"
#include "base/text.h"
#include "pipelines/definition_rows.h"
#include "pipelines/rows.h"

namespace slipway::pipelines {
namespace {

using catalog::Connection;
using catalog::Durability;

/// The row as it is after a decision.
TriggerRow decided(TriggerRow row, const TriggerDecision& decision, std::int64_t failures) {
  if (decision.seen) row.seen = *decision.seen;
  // What it waited for, or what was wrong, is over.
  if (!decision.message && decision.state != row.state) row.message.clear();
  if (decision.message) row.message = *decision.message;
  row.state = decision.state;
  row.failures = failures;
  return row;
}

/// The rows when those that are due could not start a run: they stay due.
std::vector<TriggerRow> not_started(const Definition& definition, const std::vector<TriggerDecision>& decisions,
                                    const Error& why) {
  std::vector<TriggerRow> rows = definition.triggers;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!decisions[i].fires) continue;
    rows[i].state = TriggerState::broken;
    rows[i].message = fmt::format("could not start the pipeline ({}): {}", decisions[i].why, why.message);
  }
  return rows;
}

/// "started by the dataset trigger: scenes@main moved from … to …; and by the cron trigger: it was 2026-03-01 03:00
/// UTC".
std::string reason_of(const std::vector<Cause>& causes) {
  std::string reason;
  for (const Cause& cause : causes)
    reason += fmt::format("{}by the {} trigger: {}", reason.empty() ? "started " : "; and ", cause.kind, cause.why);
  return reason;
}

}  // namespace

Triggers::Triggers(catalog::Database& database, const Clock& clock, EventSink& events, Counters& counters,
                   Pipelines& pipelines, Definitions& definitions, Watcher& watcher, bool background)
    : database_(database),
      clock_(clock),
      events_(events),
      fired_(counters.counter("pipeline_triggers_fired_total", "Pipeline runs started by triggers")),
      pipelines_(pipelines),
      definitions_(definitions),
      watcher_(watcher),
      lease_(database, "triggers", kTriggersLease) {
  if (background) thread_ = Thread("triggers", [this] { loop(); });
}

Triggers::~Triggers() {
  *stopping_.lock() = true;
  changed_.notify_all();
  thread_.join();
}

void Triggers::loop() {
  while (true) {
    {
      auto stopping = stopping_.lock();
      if (stopping.wait_until(changed_, std::chrono::steady_clock::now() + kTriggerInterval, [&] { return *stopping; }))
        return;
    }
    if (!database_.is_postgres() || lease_.hold(clock_.now())) tick();
  }
}

void Triggers::tick() {
  const auto enabled = definitions_.enabled();
  if (!enabled.ok()) {
    log_warning("pipelines", "triggers could not be read", {{"error", enabled.error().message}});
    return;
  }
  for (const Definition& definition : *enabled) {
    const auto looked = look_at(definition);
    if (looked.ok() || looked.error().code == ErrorCode::cancelled) continue;  // another server was faster
    log_warning("pipelines", "the triggers of a pipeline could not be looked at",
                {{"pipeline", definition.pipeline}, {"error", looked.error().message}});
  }
}

WatchedTrigger Triggers::watch(const Definition& definition, const Trigger& trigger, const TriggerRow& row) {
  WatchedTrigger watched{trigger, row.seen, {}, 0, "", 0, ""};
  auto changes = watcher_.changes(definition.project, definition.pipeline, trigger, row.seen);
  if (changes.ok()) {
    watched.changes = std::move(*changes);
  } else {
    watched.trouble = changes.error().message;
  }
  // Before it fired there is nothing that could have failed.
  if (!row.fired_at) return watched;
  const auto read = database_.read([&](Connection& c) -> Result<void> {
    const auto failures = TRY(rows::select_failures(c, definition.project, definition.pipeline, row,
                                                    static_cast<size_t>(kTriggerFailuresMax)));
    watched.failures = failures.in_a_row;
    watched.last_failure = failures.last;
    watched.recent =
        TRY(rows::count_started(c, definition.project, definition.pipeline, row, clock_.now() - std::chrono::hours(1)));
    return {};
  });
  if (!read.ok()) watched.trouble = read.error().message;
  return watched;
}

Result<void> Triggers::look_at(const Definition& definition) {
  const auto plan = TRY(definitions_.plan(definition));
  const std::vector<Trigger>& triggers = plan->pipeline.triggers;
  // Both were written together; another number means that the definition is being stored anew.
  if (triggers.size() != definition.triggers.size()) return {};
  // Asked before what has changed: whatever a run that is over by now has made is known to be its own.
  const auto in_flight = TRY(database_.read_value(
      [&](Connection& c) { return rows::select_in_flight(c, definition.project, definition.pipeline); }));
  std::vector<WatchedTrigger> watched;
  for (size_t i = 0; i < triggers.size(); ++i)
    watched.push_back(watch(definition, triggers[i], definition.triggers[i]));
  const auto decisions = decide(watched, in_flight ? in_flight->text : "", clock_.now());
  std::vector<TriggerRow> rows;
  bool fires = false;
  for (size_t i = 0; i < decisions.size(); ++i) {
    rows.push_back(decided(definition.triggers[i], decisions[i], watched[i].failures));
    fires = fires || decisions[i].fires;
    if (rows[i].state == TriggerState::paused && definition.triggers[i].state != TriggerState::paused) {
      log_warning("pipelines", "a trigger pauses itself",
                  {{"pipeline", definition.pipeline}, {"trigger", rows[i].name}, {"why", rows[i].message}});
    }
  }
  return fires ? fire(definition, decisions, std::move(rows)) : note(definition, rows);
}

Result<void> Triggers::note(const Definition& definition, const std::vector<TriggerRow>& rows) {
  if (rows == definition.triggers) return {};
  TRY(database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!(rows[i] == definition.triggers[i]))
        TRY(rows::update_trigger(c, definition.project, definition.pipeline, rows[i], definition.triggers[i].seen));
    }
    return {};
  }));
  events_.emit({EventKind::pipeline_run_changed, definition.project, definition.pipeline});
  return {};
}

Result<void> Triggers::fire(const Definition& definition, const std::vector<TriggerDecision>& decisions,
                            std::vector<TriggerRow> rows) {
  const Definition stored = TRY(definitions_.get(definition.project, definition.pipeline));
  NewPipelineRun request;
  request.project = stored.project;
  request.pipeline = stored.pipeline;
  request.member = stored.member;
  request.file = stored.file;
  request.snapshot = stored.snapshot;
  request.manifest = stored.manifest;
  request.id = new_id<PipelineRunId>(clock_);
  std::set<std::string> ancestors;
  for (size_t i = 0; i < decisions.size(); ++i) {
    if (!decisions[i].fires) continue;
    request.causes.push_back({rows[i].name, rows[i].kind, decisions[i].why});
    ancestors.insert(decisions[i].makers.begin(), decisions[i].makers.end());
    rows[i].fired_at = clock_.now();
    rows[i].run = request.id.text;
  }
  request.reason = reason_of(request.causes);
  request.ancestors.assign(ancestors.begin(), ancestors.end());
  const auto started = pipelines_.start(request, [&](Connection& c) -> Result<void> {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!(rows[i] == definition.triggers[i]))
        TRY(rows::update_trigger(c, definition.project, definition.pipeline, rows[i], definition.triggers[i].seen));
    }
    return {};
  });
  if (!started.ok() && started.error().code == ErrorCode::cancelled) return started.error();
  if (!started.ok()) return note(definition, not_started(definition, decisions, started.error()));
  fired_.add();
  log_info("pipelines", "a trigger started a pipeline",
           {{"pipeline", request.pipeline}, {"pipeline_run", request.id.text}, {"why", request.reason}});
  return {};
}

}  // namespace slipway::pipelines

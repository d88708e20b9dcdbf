#include "runs/loop.h"

#include "base/log.h"

namespace slipway::runs {

Loop::Loop(Runs& runs, Executor& executor, TokenIssuer& tokens, const Clock& clock, Counters& counters,
           LoopOptions options)
    : runs_(runs),
      executor_(executor),
      tokens_(tokens),
      clock_(clock),
      options_(std::move(options)),
      watched_since_(clock.now()),
      started_(counters.counter("attempts_started_total", "Attempts handed to an executor")),
      lost_(counters.counter("attempts_lost_total", "Attempts whose process went away without an end")),
      queued_(counters.gauge("runs_queued", "Runs that wait for a place")),
      running_(counters.gauge("runs_running", "Runs that have an attempt")) {}

Loop::~Loop() { stop(); }

void Loop::start() {
  runs_.on_change([this] {
    wake_.lock()->changed = true;
    woken_.notify_one();
  });
  thread_ = Thread("runs-loop", [this] { work(); });
}

void Loop::stop() {
  runs_.on_change([] {});
  wake_.lock()->ending = true;
  woken_.notify_one();
  thread_.join();
}

void Loop::work() {
  while (true) {
    step();
    auto wake = wake_.lock();
    wake.wait_until(woken_, std::chrono::steady_clock::now() + options_.interval,
                    [&] { return wake->ending || wake->changed; });
    if (wake->ending) return;
    wake->changed = false;
  }
}

void Loop::step() {
  const Time now = clock_.now();
  if (const auto told = runs_.tell_all(); !told.ok()) {
    log_warning("runs", "the states of runs could not be told", {{"error", told.error().message}});
  }
  const auto all = runs_.open();
  if (!all.ok()) {
    log_error("runs", "the open runs could not be read", {{"error", all.error().message}});
    return;
  }
  for (const Runs::Open& open : *all) look_after(open, now);
  place(*all, now);

  std::set<RunId> in_hand;
  std::int64_t waiting = 0;
  for (const Runs::Open& open : *all) {
    in_hand.insert(open.execution.run);
    waiting += open.execution.state == RunState::queued;
  }
  queued_.set(waiting);
  running_.set(static_cast<std::int64_t>(in_hand.size()) - waiting);
  std::erase_if(had_token_, [&](const auto& entry) {
    if (in_hand.contains(entry.first)) return false;
    (void)tokens_.revoke_run_tokens(entry.first);
    return true;
  });
}

void Loop::look_after(const Runs::Open& open, Time now) {
  if (!open.attempt || open.attempt->node != executor_.node()) return;
  const Attempt& attempt = *open.attempt;
  if (attempt.pid == 0 && now - attempt.started_at >= kStartPatience) take_up(open.execution, attempt);
  const StartedRunner runner{attempt.pid, attempt.start_ticks};
  AttemptSigns signs{attempt.started_at, std::nullopt, attempt.pid > 0, false, watched_since_};
  if (attempt.state == AttemptState::running) signs.heartbeat_at = attempt.heartbeat_at;
  signs.process_alive = signs.process_known && executor_.is_alive(runner);
  had_token_[attempt.run] = true;

  const Execution& execution = open.execution;
  const Duration grace = execution.stop_grace.value_or(execution.spec.limits.grace);
  const bool will_not_stop = execution.stop_asked_at && now - *execution.stop_asked_at > grace + options_.stop_patience;
  std::optional<std::string> why = why_lost(signs, now);
  if (will_not_stop && !why) why = "it did not stop when asked and was killed";
  if (!why) return;

  executor_.kill(runner, attempt.id);
  lost_.add();
  log_warning("runs", "attempt lost", {{"run", attempt.run.text}, {"attempt", attempt.id.text}, {"why", *why}});
  const auto ended = runs_.end(attempt.id, {AttemptEnd::lost, 0, 0, *why});
  if (!ended.ok())
    log_error("runs", "a lost attempt could not be ended",
              {{"attempt", attempt.id.text}, {"error", ended.error().message}});
}

/// A server was killed between claiming the run and writing its runner down: the runner is found, or started now.
void Loop::take_up(const Execution& execution, const Attempt& attempt) {
  if (const auto runner = executor_.find(attempt.id)) {
    (void)runs_.started(attempt.id, runner->pid, runner->start_ticks);
  } else if (attempt.state == AttemptState::starting && execution.stop_asked_at) {
    (void)runs_.end(attempt.id, {AttemptEnd::stopped, 0, 0, "stopped before it began"});
  } else if (attempt.state == AttemptState::starting) {
    log_info("runs", "starting what a killed server had claimed", {{"run", attempt.run.text}});
    launch(execution, attempt.id);
  }
}

void Loop::place(const std::vector<Runs::Open>& all, Time now) {
  const Capacity node = executor_.capacity();
  std::vector<Resources> running;
  std::vector<QueuedRun> queued;
  std::map<RunId, const Execution*> by_run;
  for (const Runs::Open& open : all) {
    const Execution& execution = open.execution;
    if (execution.state != RunState::queued) {
      running.push_back(execution.spec.resources);
      continue;
    }
    if (const std::string why = never_fits(execution.spec.resources, node); !why.empty()) {
      (void)runs_.finish_queued(execution.run, RunState::failed, "the run cannot start here: " + why);
      continue;
    }
    queued.push_back({execution.run, execution.spec.resources, execution.queued_at, execution.not_before});
    by_run[execution.run] = &execution;
  }
  for (const RunId& run : runs::place(node, running, queued, now)) begin(*by_run.at(run));
}

void Loop::begin(const Execution& execution) {
  const auto attempt = runs_.claim(execution.run, executor_.node());
  if (!attempt.ok() || !*attempt) return;  // somebody else's, or the database is away: the next round looks again
  launch(execution, (*attempt)->id);
}

void Loop::launch(const Execution& execution, const AttemptId& id) {
  const auto start = [&]() -> Result<StartedRunner> {
    Ticket ticket;
    ticket.server = options_.server_url;
    ticket.run = execution.run;
    ticket.attempt = id;
    ticket.token = TRY(tokens_.issue_run_token(execution.run, execution.member, options_.token_lifetime));
    return executor_.start(ticket);
  };
  const auto runner = start();
  if (!runner.ok()) {
    (void)runs_.end(id,
                    {AttemptEnd::could_not_start, 0, 0, "the runner could not be started: " + runner.error().message});
    return;
  }
  started_.add();
  had_token_[execution.run] = true;
  (void)runs_.started(id, runner->pid, runner->start_ticks);
}

}  // namespace slipway::runs

#include "pipelines/trigger_decision.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "base/text.h"
#include "domain/cron.h"

namespace slipway::pipelines {
namespace {

constexpr std::array<std::pair<TriggerState, std::string_view>, 4> kTriggerStates = {{
    {TriggerState::armed, "armed"},
    {TriggerState::waiting, "waiting"},
    {TriggerState::paused, "paused"},
    {TriggerState::broken, "broken"},
}};

/// What a trigger has to say for itself: why a run is due, and what is settled by it.
struct Due {
  std::string why;
  std::string seen;
  std::vector<std::string> makers;
};

/// "2026-03-01 03:00", which is UTC.
std::string minute_text(Time time) {
  std::string text = render(time).substr(0, 16);
  text[10] = ' ';
  return text;
}

std::optional<Due> due_by_clock(const WatchedTrigger& watched, Time now) {
  const auto schedule = parse_cron(watched.trigger.cron);
  if (!schedule.ok()) return std::nullopt;  // the file was checked when it was stored
  const auto first = next_time(*schedule, time_seen(watched.seen));
  if (!first || *first > now) return std::nullopt;
  int times = 0;
  for (auto at = first; at && *at <= now && times < kCronTimesCounted; at = next_time(*schedule, *at)) ++times;
  Due due{fmt::format("it was {} UTC", minute_text(last_time(*schedule, now).value_or(*first))), seen_at(now), {}};
  if (times == 2) due.why += ", and one earlier time had passed";
  if (times > 2)
    due.why += fmt::format(", and {} earlier times had passed",
                           times == kCronTimesCounted ? "many" : std::to_string(times - 1));
  return due;
}

std::string describe(const WatchedTrigger& watched, const std::vector<const Change*>& foreign) {
  const Trigger& trigger = watched.trigger;
  const std::string& last = foreign.back()->what;
  const std::string more = foreign.size() > 1 ? fmt::format(" ({} changes)", foreign.size()) : "";
  if (!trigger.dataset.empty())
    return fmt::format("{} moved from {} to {}{}", trigger.dataset, watched.seen.empty() ? "nothing" : watched.seen,
                       last, more);
  if (!trigger.model.empty()) return fmt::format("{} has version {}{}", trigger.model, last, more);
  return last + more;
}

std::optional<Due> due_by_changes(const WatchedTrigger& watched) {
  std::vector<const Change*> foreign;
  std::set<std::string> makers;
  for (const Change& change : watched.changes) {
    if (change.own) continue;
    foreign.push_back(&change);
    makers.insert(change.makers.begin(), change.makers.end());
  }
  if (foreign.empty()) return std::nullopt;
  return Due{describe(watched, foreign), watched.changes.back().position, {makers.begin(), makers.end()}};
}

TriggerDecision decide_one(const WatchedTrigger& watched, std::string_view in_flight, Time now) {
  TriggerDecision decision;
  if (!watched.trouble.empty()) {
    decision.state = TriggerState::broken;
    decision.message = watched.trouble;
    return decision;
  }
  if (watched.failures >= kTriggerFailuresMax) {
    decision.state = TriggerState::paused;
    decision.message = fmt::format(
        "paused, because the last {} runs that it started failed{}; `slipway pipelines enable` arms it again",
        watched.failures, watched.last_failure.empty() ? "" : " (" + watched.last_failure + ")");
    return decision;
  }
  const auto due = watched.trigger.cron.empty() ? due_by_changes(watched) : due_by_clock(watched, now);
  if (due && !in_flight.empty()) {
    decision.state = TriggerState::waiting;
    decision.message = fmt::format("waits for the end of pipeline run {}: {}", in_flight, due->why);
  } else if (due && watched.recent >= kTriggerRunsPerHourMax) {
    decision.state = TriggerState::waiting;
    decision.message = fmt::format("waits, because it started {} runs within an hour: {}", watched.recent, due->why);
  } else if (due) {
    decision.fires = true;
    decision.seen = due->seen;
    decision.why = due->why;
    decision.makers = due->makers;
    decision.message = "";
  } else if (!watched.changes.empty()) {
    decision.seen = watched.changes.back().position;
    decision.message =
        fmt::format("passed over {}, which the pipeline made itself or set off", watched.changes.back().what);
  }
  return decision;
}

}  // namespace

std::string_view name(TriggerState state) {
  for (const auto& [known, text] : kTriggerStates) {
    if (known == state) return text;
  }
  return "";
}

std::optional<TriggerState> parse_trigger_state(std::string_view text) {
  for (const auto& [known, known_text] : kTriggerStates) {
    if (known_text == text) return known;
  }
  return std::nullopt;
}

std::string_view kind_of(const Trigger& trigger) {
  if (!trigger.dataset.empty()) return "dataset";
  if (!trigger.cron.empty()) return "cron";
  return trigger.model.empty() ? "finding" : "model";
}

std::string name_of(const Trigger& trigger) {
  if (!trigger.dataset.empty()) return "dataset " + trigger.dataset;
  if (!trigger.cron.empty()) return "cron " + trigger.cron;
  if (!trigger.model.empty()) return "model " + trigger.model;
  return "finding " + trigger.finding + (trigger.deployment.empty() ? "" : " of " + trigger.deployment);
}

std::vector<TriggerDecision> decide(const std::vector<WatchedTrigger>& triggers, std::string_view in_flight, Time now) {
  std::vector<TriggerDecision> decisions;
  for (const WatchedTrigger& watched : triggers) decisions.push_back(decide_one(watched, in_flight, now));
  return decisions;
}

std::string seen_at(Time time) { return std::to_string(time.micros); }

Time time_seen(std::string_view seen) { return Time{parse_i64(seen).value_or(0)}; }

}  // namespace slipway::pipelines

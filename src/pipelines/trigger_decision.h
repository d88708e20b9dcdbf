// Which triggers start a pipeline now, and why. Pure, so that a test can play a year in a millisecond.
//
// The rules:
// - What happened once starts one run. Changes that come while a run of the pipeline is in flight wait for its end, and
// then
//   start one run together; so do all triggers of a pipeline that are due at the same moment.
// - A pipeline is never started by what it made itself, nor by what a pipeline made that it had set off: such commits
// and
//   versions are passed over. That ends every circle, however long.
// - A time that passed while the server was down, or while a run was in flight, counts once.
// - A trigger whose last kTriggerFailuresMax runs all failed pauses until somebody enables the pipeline again.
// - A trigger starts at most kTriggerRunsPerHourMax runs within an hour, whatever else went wrong; more wait.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "domain/project_file.h"

namespace slipway::pipelines {

enum class TriggerState { armed, waiting, paused, broken };
std::string_view name(TriggerState state);
std::optional<TriggerState> parse_trigger_state(std::string_view text);

/// "dataset", "cron", "finding" or "model".
std::string_view kind_of(const Trigger& trigger);
/// What it watches, in words; the same for the same trigger wherever it stands: "dataset scenes@main", "cron 0 3 * *
/// *", "finding drift of segmenter", "model segmenter".
std::string name_of(const Trigger& trigger);

/// One thing that happened to what a trigger watches.
struct Change {
  std::string position;  // what is seen once this is settled
  std::string what;      // of a dataset: the commit it came to; of a model: the version; of a finding: its message
  bool own = false;      // made by this pipeline, or by one that it set off
  std::vector<std::string> makers;  // the pipelines it comes from, when pipelines made it
};

/// A trigger and what is known of it.
struct WatchedTrigger {
  Trigger trigger;
  std::string seen;
  std::vector<Change> changes;  // since `seen`, oldest first; of a cron trigger none: `seen` is its last time
  std::int64_t failures = 0;    // in a row, of the runs it started
  std::string last_failure;     // in words
  std::int64_t recent = 0;      // runs that it started within the last hour
  std::string trouble;          // why what it watches cannot be read; empty: it can
};

struct TriggerDecision {
  TriggerState state = TriggerState::armed;
  bool fires = false;
  std::optional<std::string> seen;     // settled up to here, when that moves on
  std::string why;                     // of one that fires: "scenes@main moved from … to …"
  std::optional<std::string> message;  // what to tell people now; nullopt: what was told before
  std::vector<std::string> makers;     // of the changes that made it fire
};

inline constexpr std::int64_t kTriggerFailuresMax = 3;
inline constexpr std::int64_t kTriggerRunsPerHourMax = 120;
inline constexpr int kCronTimesCounted = 1000;

/// A decision for each, in their order. `in_flight` is the id of a run of the pipeline that is not over, or empty.
std::vector<TriggerDecision> decide(const std::vector<WatchedTrigger>& triggers, std::string_view in_flight, Time now);

/// The times of a cron trigger, which has only `seen`, as text and back.
std::string seen_at(Time time);
Time time_seen(std::string_view seen);

}  // namespace slipway::pipelines

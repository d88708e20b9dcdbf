// A run: one execution and its record. May be started by Slipway or by an outside client.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "domain/ids.h"

namespace slipway {

/// Where a run stands. MLflow's five states are these without `queued` and `stopping`, which its clients see as
/// SCHEDULED and RUNNING.
enum class RunState {
  queued,     // waits for a place (Slipway executes it)
  scheduled,  // an outside client says it will start
  running,
  stopping,  // asked to end; its grace period runs
  finished,  // ended well
  failed,
  killed,  // stopped by a person, a limit or a budget
};

std::string_view name(RunState state);
std::optional<RunState> parse_run_state(std::string_view text);

/// MLflow's name for it (RUNNING, SCHEDULED, FINISHED, FAILED, KILLED), and back.
std::string_view mlflow_name(RunState state);
std::optional<RunState> parse_mlflow_run_state(std::string_view text);

inline bool is_over(RunState state) {
  return state == RunState::finished || state == RunState::failed || state == RunState::killed;
}

/// Whether a run that Slipway executes may go from one state to the other. Outside clients may report any state: a
/// resumed mlflow run goes from finished back to running.
bool may_follow(RunState from, RunState to);

/// Why an attempt ended, beside its exit code.
enum class AttemptEnd { exited, signalled, stopped, time_limit, silence_limit, lost, could_not_start };
std::string_view name(AttemptEnd end);
std::optional<AttemptEnd> parse_attempt_end(std::string_view text);

}  // namespace slipway

#include "domain/run.h"

#include <array>

namespace slipway {
namespace {

constexpr std::array<std::pair<RunState, std::string_view>, 7> kStates = {{
    {RunState::queued, "queued"},
    {RunState::scheduled, "scheduled"},
    {RunState::running, "running"},
    {RunState::stopping, "stopping"},
    {RunState::finished, "finished"},
    {RunState::failed, "failed"},
    {RunState::killed, "killed"},
}};

constexpr std::array<std::pair<AttemptEnd, std::string_view>, 7> kEnds = {{
    {AttemptEnd::exited, "exited"},
    {AttemptEnd::signalled, "signalled"},
    {AttemptEnd::stopped, "stopped"},
    {AttemptEnd::time_limit, "time_limit"},
    {AttemptEnd::silence_limit, "silence_limit"},
    {AttemptEnd::lost, "lost"},
    {AttemptEnd::could_not_start, "could_not_start"},
}};

template <typename Enum, size_t N>
std::string_view find_name(const std::array<std::pair<Enum, std::string_view>, N>& table, Enum value) {
  for (const auto& [key, text] : table) {
    if (key == value) return text;
  }
  return "";
}

template <typename Enum, size_t N>
std::optional<Enum> find_value(const std::array<std::pair<Enum, std::string_view>, N>& table, std::string_view text) {
  for (const auto& [key, known] : table) {
    if (known == text) return key;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(RunState state) { return find_name(kStates, state); }
std::optional<RunState> parse_run_state(std::string_view text) { return find_value(kStates, text); }

std::string_view mlflow_name(RunState state) {
  switch (state) {
    case RunState::queued:
    case RunState::scheduled: return "SCHEDULED";
    case RunState::running:
    case RunState::stopping: return "RUNNING";
    case RunState::finished: return "FINISHED";
    case RunState::failed: return "FAILED";
    case RunState::killed: return "KILLED";
  }
  return "RUNNING";
}

std::optional<RunState> parse_mlflow_run_state(std::string_view text) {
  for (RunState state :
       {RunState::scheduled, RunState::running, RunState::finished, RunState::failed, RunState::killed}) {
    if (mlflow_name(state) == text) return state;
  }
  return std::nullopt;
}

bool may_follow(RunState from, RunState to) {
  switch (from) {
    case RunState::queued: return to == RunState::running || to == RunState::killed || to == RunState::failed;
    case RunState::scheduled: return to != RunState::queued && to != RunState::scheduled;
    // Back to queued: another attempt after a lost node or a preemption.
    case RunState::running: return to != RunState::running && to != RunState::scheduled;
    case RunState::stopping: return is_over(to);
    case RunState::finished:
    case RunState::failed:
    case RunState::killed: return false;
  }
  return false;
}

std::string_view name(AttemptEnd end) { return find_name(kEnds, end); }
std::optional<AttemptEnd> parse_attempt_end(std::string_view text) { return find_value(kEnds, text); }

}  // namespace slipway

// One command, watched: its output as it comes, what it uses, and its end, asked for or not.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "runner/control_group.h"
#include "runner/link.h"
#include "runner/processes.h"
#include "runner/watch.h"

namespace slipway::runner {

struct StopRequest {
  std::optional<Duration> grace;
};

struct CommandSpec {
  std::string command;  // for /bin/sh -c
  std::filesystem::path directory;
  std::map<std::string, std::string> environment;
  Limits limits;
  std::uint64_t memory_bytes_max = 0;  // of all its processes together; 0: no limit. Looked at once per sample_interval
  ControlGroup* group = nullptr;       // which it starts in, and whose end is its own; outlives the call
  Duration sample_interval = std::chrono::seconds(2);
};

/// Called from the thread that runs watch_command; they must be quick.
struct CommandHooks {
  std::function<void(pid_t)> on_start = [](pid_t) {};
  std::function<void(std::string_view)> on_output = [](std::string_view) {
  };  // stdout and stderr as one stream, any bytes
  std::function<void(const Usage&)> on_usage = [](const Usage&) {};
  std::function<std::optional<StopRequest>()> stop_asked = [] {
    return std::nullopt;
  };  // polled about 10 times a second
};

/// Starts the command in a session of its own, watches it to its end and leaves nothing of it running: children that
/// stayed behind are killed, also those that left the process group. The message says in words why it ended, unless it
/// ended well.
AttemptResult watch_command(const CommandSpec& spec, const CommandHooks& hooks, const Clock& clock);

}  // namespace slipway::runner

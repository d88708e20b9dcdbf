// Child processes: started without a shell, in their own process group, and always reaped.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"

namespace slipway {

struct ProcessSpec {
  std::vector<std::string> arguments;                             // [0] is looked up in PATH
  std::filesystem::path directory;                                // empty: the parent's
  std::optional<std::map<std::string, std::string>> environment;  // nullopt: the parent's
  int stdin_fd = -1;                                              // -1: /dev/null
  int stdout_fd = -1;                                             // -1: the parent's
  int stderr_fd = -1;                                             // -1: the parent's
  std::vector<std::pair<int, int>> inherit;                       // (parent's descriptor, number in the child)
  bool new_group = true;         // a process group of its own, so that stop() reaches its children
  bool new_session = false;      // survives its parent's terminal (the local executor)
  bool die_with_parent = false;  // SIGKILL when the starting thread's process dies
};

struct ExitStatus {
  int code = 0;    // exit code, when it exited
  int signal = 0;  // the signal that killed it, else 0
  bool ok() const { return code == 0 && signal == 0; }
};

/// "exit code 3", "killed by signal 9 (Killed)".
std::string render(const ExitStatus& status);

/// One running child. Its destruction kills the group and reaps it, unless detached.
class Process {
 public:
  static Result<Process> start(const ProcessSpec& spec);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  /// Readable when the process has ended.
  int pidfd() const { return pidfd_.get(); }

  /// Ended by `timeout`? Negative waits for ever.
  std::optional<ExitStatus> wait(Duration timeout = Duration(-1));
  /// To the whole group when it has one. True while there was somebody to receive it.
  bool signal(int number);
  /// SIGTERM, `grace`, SIGKILL to the group; returns how it ended.
  ExitStatus stop(Duration grace);
  /// The child outlives this object; nobody here reaps it.
  void detach();

 private:
  Process() = default;

  pid_t pid_ = -1;
  bool group_ = false;
  UniqueFd pidfd_;
  std::optional<ExitStatus> ended_;
};

struct Output {
  ExitStatus status;
  std::string out, err;
};

/// Runs a command to its end with its output collected (each at most `bytes_max`, the rest is dropped); killed at
/// `timeout` with code timed_out. `input` goes to its standard input.
Result<Output> run_command(ProcessSpec spec, Duration timeout, std::string_view input = "",
                           size_t bytes_max = 64 << 20);

/// When the machine started this process (clock ticks since boot, /proc/<pid>/stat field 22): with the pid it names a
/// process for good. nullopt when there is none.
std::optional<std::uint64_t> process_start_ticks(pid_t pid);

}  // namespace slipway

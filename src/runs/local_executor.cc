#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "runs/executor.h"

namespace slipway::runs {
namespace {

namespace fs = std::filesystem;

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::int64_t machine_gpus() {
  std::int64_t count = 0;
  std::error_code problem;
  for (fs::directory_iterator at("/proc/driver/nvidia/gpus", problem), end; !problem && at != end;
       at.increment(problem))
    ++count;
  return count;
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// The state letter of /proc/<pid>/stat, or 0.
char process_state(std::int64_t pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 65536);
  const size_t close = stat.ok() ? stat->rfind(')') : std::string::npos;
  return close == std::string::npos || close + 2 >= stat->size() ? '\0' : (*stat)[close + 2];
}

/// Processes whose environment names the attempt: the command and what it started, wherever it went.
std::vector<pid_t> processes_of(const AttemptId& attempt) {
  std::vector<pid_t> found;
  const std::string mark = "SLIPWAY_ATTEMPT_ID=" + attempt.text;
  DIR* folder = ::opendir("/proc");
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder)) {
    const auto pid = parse_i64(entry->d_name);
    if (!pid || *pid == ::getpid()) continue;
    const auto variables = read_file(fmt::format("/proc/{}/environ", *pid), 4 << 20);
    if (!variables.ok()) continue;
    for (const std::string& variable : split(*variables, '\0')) {
      if (variable == mark) found.push_back(static_cast<pid_t>(*pid));
    }
  }
  ::closedir(folder);
  return found;
}

class LocalExecutor : public Executor {
 public:
  explicit LocalExecutor(LocalExecutorOptions options) : options_(std::move(options)) {}

  std::string node() const override { return host_name(); }

  Capacity capacity() const override {
    return {options_.cpus > 0 ? options_.cpus : static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN)),
            options_.memory_bytes > 0 ? options_.memory_bytes : machine_memory(), machine_gpus()};
  }

  Result<StartedRunner> start(const Ticket& ticket) override {
    const fs::path tickets = options_.folder / "tickets", logs = options_.folder / "runner-logs";
    TRY(make_directories(tickets));
    TRY(make_directories(logs));
    Ticket here = ticket;
    here.folder = options_.folder;
    const fs::path file = tickets / (ticket.attempt.text + ".json");
    TRY(write_file_atomic(file, render(here), 0600));
    const UniqueFd log = TRY(open_file(logs / (ticket.attempt.text + ".log"), O_WRONLY | O_CREAT | O_APPEND, 0600));
    ProcessSpec spec;
    spec.arguments = {options_.program.string(), "runner", "--ticket", file.string()};
    spec.directory = options_.folder;
    spec.stdout_fd = spec.stderr_fd = log.get();
    spec.new_session = true;
    Process process = TRY(Process::start(spec));
    const StartedRunner started{process.pid(), process_start_ticks(process.pid()).value_or(0)};
    process.detach();  // it outlives us; is_alive() reaps it while it is our child
    return started;
  }

  bool is_alive(const StartedRunner& runner) override {
    ::waitpid(static_cast<pid_t>(runner.pid), nullptr, WNOHANG);
    const char state = process_state(runner.pid);
    return state != '\0' && state != 'Z' && process_start_ticks(static_cast<pid_t>(runner.pid)) == runner.start_ticks;
  }

  void kill(const StartedRunner& runner, const AttemptId& attempt) override {
    if (runner.pid > 0 && is_alive(runner)) ::kill(static_cast<pid_t>(runner.pid), SIGKILL);
    for (int round = 0; round < 10; ++round) {
      const std::vector<pid_t> left = processes_of(attempt);
      if (left.empty()) return;
      for (pid_t pid : left) ::kill(pid, SIGKILL);
      ::usleep(10'000);
    }
  }

 private:
  const LocalExecutorOptions options_;
};

}  // namespace

Result<std::unique_ptr<Executor>> make_local_executor(const LocalExecutorOptions& given) {
  LocalExecutorOptions options = given;
  std::error_code problem;
  if (options.program.empty()) options.program = fs::read_symlink("/proc/self/exe", problem).parent_path() / "slipway";
  options.folder = fs::absolute(options.folder, problem);
  TRY(make_directories(options.folder));
  return std::unique_ptr<Executor>(std::make_unique<LocalExecutor>(std::move(options)));
}

}  // namespace slipway::runs

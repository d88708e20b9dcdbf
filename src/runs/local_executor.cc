#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

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

fs::path ticket_file(const fs::path& folder, const AttemptId& attempt) {
  return folder / "tickets" / (attempt.text + ".json");
}

/// Calls `look` with each process but this one until it answers false.
template <typename Look>
void for_each_process(Look look) {
  DIR* folder = ::opendir("/proc");
  if (!folder) return;
  while (const dirent* entry = ::readdir(folder)) {
    const auto pid = parse_i64(entry->d_name);
    if (pid && *pid != ::getpid() && !look(static_cast<pid_t>(*pid))) break;
  }
  ::closedir(folder);
}

bool has_word(const fs::path& file, std::string_view word) {
  const auto words = read_file(file, 4 << 20);
  if (!words.ok()) return false;
  const std::vector<std::string> all = split(*words, '\0');
  return std::find(all.begin(), all.end(), word) != all.end();
}

/// Processes whose environment names the attempt: the command and what it started, wherever it went.
std::vector<pid_t> processes_of(const AttemptId& attempt) {
  std::vector<pid_t> found;
  const std::string mark = "SLIPWAY_ATTEMPT_ID=" + attempt.text;
  for_each_process([&](pid_t pid) {
    if (has_word(fmt::format("/proc/{}/environ", pid), mark)) found.push_back(pid);
    return true;
  });
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
    const fs::path file = ticket_file(options_.folder, ticket.attempt), logs = options_.folder / "runner-logs";
    TRY(make_directories(file.parent_path()));
    TRY(make_directories(logs));
    Ticket here = ticket;
    here.folder = options_.folder;
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

  std::optional<StartedRunner> find(const AttemptId& attempt) override {
    const std::string ticket = ticket_file(options_.folder, attempt);
    std::optional<StartedRunner> found;
    for_each_process([&](pid_t pid) {
      if (!has_word(fmt::format("/proc/{}/cmdline", pid), ticket)) return true;
      const StartedRunner runner{pid, process_start_ticks(pid).value_or(0)};
      if (is_alive(runner)) found = runner;
      return !found;
    });
    return found;
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

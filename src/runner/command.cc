#include "runner/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "domain/units.h"

namespace slipway::runner {
namespace {

constexpr Duration kPollInterval = std::chrono::milliseconds(100);
constexpr int kMemoryLooks = 4;
constexpr Duration kMemoryLookPause = std::chrono::milliseconds(25);
constexpr Duration kDrainTime = std::chrono::seconds(2);  // for output still in the pipe when everybody is dead

class Watcher {
 public:
  Watcher(const CommandSpec& spec, const CommandHooks& hooks, const Clock& clock)
      : spec_(spec), hooks_(hooks), clock_(clock) {}

  AttemptResult run() {
    for (const ProcessInfo& info : descendants(all_processes(), ::getpid())) before_.insert(info.pid);
    become_subreaper();
    const auto started = start();
    if (!started.ok())
      return {AttemptEnd::could_not_start, 0, 0, "the command could not be started: " + started.error().message};
    before_and_main_ = before_;
    before_and_main_.insert(process_->pid());
    hooks_.on_start(process_->pid());
    facts_.started = facts_.last_output = clock_.steady();
    sampled_ = facts_.started - spec_.sample_interval;
    while (!ended_) {
      look();
      obey();
    }
    clean_up();
    return result();
  }

 private:
  Result<void> start() {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return system_error("create a pipe for", "the command", errno);
    output_ = UniqueFd(pipe[0]);
    const UniqueFd write_end(pipe[1]);
    ProcessSpec process;
    process.arguments = {"/bin/sh", "-c", spec_.command};
    if (spec_.group) {
      // The shell enters the group before it becomes the command's, so that nothing of the command is ever outside.
      process.arguments = {
          "/bin/sh",    "-c", "echo 0 > \"$1\"; exec /bin/sh -c \"$2\"", "sh", spec_.group->entrance().string(),
          spec_.command};
    }
    process.directory = spec_.directory;
    process.environment = spec_.environment;
    process.stdout_fd = write_end.get();
    process.stderr_fd = write_end.get();  // the same pipe: lines keep their order
    process.new_session = true;
    process_ = TRY(Process::start(process));
    return {};
  }

  /// Waits a little for output or the end, and takes what there is.
  void look() {
    pollfd watch[2] = {{output_ ? output_.get() : -1, POLLIN, 0}, {process_->pidfd(), POLLIN, 0}};
    ::poll(watch, 2, static_cast<int>(kPollInterval.count() / 1000));
    if (watch[0].revents != 0) read_output();
    if (clock_.steady() - sampled_ >= spec_.sample_interval) sample();
    if (watch[1].revents == 0 || ended_) return;
    sample();  // before it is reaped, /proc still knows all it used, its children included
    ended_ = process_->wait(Duration(0));
  }

  /// One read; false when nothing (more) came.
  bool read_output() {
    const ssize_t n = ::read(output_.get(), buffer_.data(), buffer_.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return false;
    if (n <= 0) {
      output_.reset();  // the command closed its output; it may well run on
      return false;
    }
    facts_.last_output = clock_.steady();
    hooks_.on_output(std::string_view(buffer_.data(), static_cast<size_t>(n)));
    return true;
  }

  void sample() {
    sampled_ = clock_.steady();
    reap_orphans(before_and_main_);
    const auto processes = descendants(all_processes(), ::getpid(), before_);
    const Usage usage = usage_of(processes);
    hooks_.on_usage(usage);
    if (spec_.memory_bytes_max == 0 || usage.memory_bytes <= spec_.memory_bytes_max) return;
    memory_seen_ = settled_bytes();  // before it is killed for it, each page is counted once
    facts_.is_over_memory = memory_seen_ > spec_.memory_bytes_max;
  }

  /// While processes come and go, the figures of one look do not belong together and add up to too much: the least of a
  /// few counts.
  std::uint64_t settled_bytes() const {
    std::uint64_t least = UINT64_MAX;
    for (int look = 0; look < kMemoryLooks && least > spec_.memory_bytes_max; ++look) {
      if (look > 0) std::this_thread::sleep_for(kMemoryLookPause);
      least = std::min(least, proportional_bytes(descendants(all_processes(), ::getpid(), before_)));
    }
    return least;
  }

  void obey() {
    if (ended_) return;
    if (!facts_.stop_asked) {
      if (const auto stop = hooks_.stop_asked()) {
        facts_.stop_asked = clock_.steady();
        facts_.stop_grace = stop->grace;
      }
    }
    const WatchDecision decision = decide(spec_.limits, facts_, clock_.steady());
    if (const auto* terminate = std::get_if<Terminate>(&decision)) {
      facts_.terminated = clock_.steady();
      facts_.why = terminate->why;
      process_->signal(SIGTERM);
      // Those that left the group get the same chance.
      for (const ProcessInfo& info : descendants(all_processes(), ::getpid(), before_and_main_))
        ::kill(info.pid, SIGTERM);
    } else if (std::holds_alternative<Kill>(decision)) {
      killed_for_memory_ = facts_.is_over_memory;
      process_->signal(SIGKILL);
      ended_ = process_->wait();
    }
  }

  /// Nothing of the command may run on; then whatever it wrote last is read.
  void clean_up() {
    process_->signal(SIGKILL);
    left_behind_ = kill_descendants(before_);
    if (spec_.group) spec_.group->kill();
    if (!output_) return;
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    const Time until = clock_.steady() + kDrainTime;
    while (output_ && clock_.steady() < until && read_output()) {
    }
  }

  AttemptResult result() const {
    AttemptResult result;
    result.exit_code = ended_->code;
    result.signal = ended_->signal;
    result.end = facts_.terminated ? facts_.why : ended_->signal != 0 ? AttemptEnd::signalled : AttemptEnd::exited;
    const Limits& limits = spec_.limits;
    switch (result.end) {
      case AttemptEnd::stopped: result.message = "stopped on request"; break;
      case AttemptEnd::time_limit:
        result.message =
            fmt::format("ended because it ran longer than its time limit of {}", render_duration(*limits.time));
        break;
      case AttemptEnd::silence_limit:
        result.message =
            fmt::format("ended because it wrote nothing for its silence limit of {}", render_duration(*limits.silence));
        break;
      case AttemptEnd::signalled: result.message = killed_by(); break;
      default:
        if (ended_->code != 0) result.message = fmt::format("the command ended with {}", render(*ended_));
    }
    // After SIGTERM the rest of the group is dying anyway; only a command that ended by itself has left somebody
    // behind.
    if (left_behind_ > 0 && !facts_.terminated && !result.message.empty()) {
      result.message += fmt::format("; {} it left behind {} killed",
                                    left_behind_ == 1 ? "a process" : fmt::format("{} processes", left_behind_),
                                    left_behind_ == 1 ? "was" : "were");
    }
    return result;
  }

  std::string killed_by() const {
    const std::string asked = render_bytes(spec_.memory_bytes_max);
    if (killed_for_memory_)
      return fmt::format("killed because it used {} of memory and its step asks for {} (resources: memory)",
                         render_bytes(memory_seen_), asked);
    if (spec_.group && spec_.group->memory_kills() > 0)
      return fmt::format(
          "killed by the kernel because it used more than the {} of memory its step asks for (resources: memory)",
          asked);
    return "the command was " + render(*ended_);
  }

  const CommandSpec& spec_;
  const CommandHooks& hooks_;
  const Clock& clock_;
  std::set<pid_t> before_, before_and_main_;  // descendants that are not the command's
  UniqueFd output_;
  std::optional<Process> process_;
  std::optional<ExitStatus> ended_;
  WatchFacts facts_;
  Time sampled_;
  int left_behind_ = 0;
  bool killed_for_memory_ = false;
  std::uint64_t memory_seen_ = 0;
  std::vector<char> buffer_ = std::vector<char>(64 << 10);
};

}  // namespace

AttemptResult watch_command(const CommandSpec& spec, const CommandHooks& hooks, const Clock& clock) {
  return Watcher(spec, hooks, clock).run();
}

}  // namespace slipway::runner

#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/text.h"

namespace slipway {
namespace {

/// PATH is searched before fork, because little may be called between fork and exec.
Result<std::string> find_program(const std::string& program, const ProcessSpec& spec) {
  if (program.find('/') != std::string::npos) return program;
  std::string path = "/usr/local/bin:/usr/bin:/bin";
  if (spec.environment) {
    if (const auto at = spec.environment->find("PATH"); at != spec.environment->end()) path = at->second;
  } else if (const char* own = std::getenv("PATH")) {
    path = own;
  }
  for (const std::string& folder : split(path, ':')) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + program;
    if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
  }
  return Error{ErrorCode::not_found, "there is no program '" + program + "' in PATH"};
}

/// Where descriptors wait while the low numbers are filled.
constexpr int kHighDescriptor = 100;

/// What the child does between fork and exec; only async-signal-safe calls. Writes errno to `report` and exits on
/// failure.
[[noreturn]] void become(const ProcessSpec& spec, const char* program, char* const* arguments, char* const* variables,
                         int report_fd, pid_t parent) {
  // Out of the way of the numbers that the child's own descriptors may be asked to have.
  const int report = ::fcntl(report_fd, F_DUPFD_CLOEXEC, kHighDescriptor);
  const auto fail = [&] {
    const int error_number = errno;
    [[maybe_unused]] const ssize_t n = ::write(report, &error_number, sizeof error_number);
    ::_exit(127);
  };
  if (spec.new_session) {
    ::setsid();
  } else if (spec.new_group) {
    ::setpgid(0, 0);
  }
  if (spec.die_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  // Sources may sit on the very numbers we are about to fill: first move them all out of the way.
  const int standard[3] = {spec.stdin_fd, spec.stdout_fd, spec.stderr_fd};
  int moved[3];
  for (int i = 0; i < 3; ++i) moved[i] = standard[i] >= 0 ? ::fcntl(standard[i], F_DUPFD_CLOEXEC, kHighDescriptor) : -1;
  int extra[16];
  size_t count = 0;
  for (const auto& [from, to] : spec.inherit) extra[count++] = ::fcntl(from, F_DUPFD_CLOEXEC, kHighDescriptor);
  if (moved[0] < 0) moved[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (int i = 0; i < 3; ++i) {
    if (moved[i] >= 0 && ::dup2(moved[i], i) < 0) fail();
  }
  for (size_t i = 0; i < count; ++i) {
    if (::dup2(extra[i], spec.inherit[i].second) < 0) fail();
  }
  // Only what was handed over goes along: a runner that outlives the server must not keep its listening socket open.
  ::syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
  for (size_t i = 0; i < count; ++i) ::fcntl(spec.inherit[i].second, F_SETFD, 0);
  if (!spec.directory.empty() && ::chdir(spec.directory.c_str()) != 0) fail();
  ::execve(program, arguments, variables);
  fail();
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string render(const ExitStatus& status) {
  if (status.signal != 0)
    return "killed by signal " + std::to_string(status.signal) + " (" + ::strsignal(status.signal) + ")";
  return "exit code " + std::to_string(status.code);
}

Result<Process> Process::start(const ProcessSpec& spec) {
  CHECK(!spec.arguments.empty(), "a process needs a program to run");
  CHECK(spec.inherit.size() <= 16, "at most 16 descriptors can be handed to a child");
  const std::string program = TRY(find_program(spec.arguments[0], spec));

  std::vector<std::string> arguments = spec.arguments;
  std::vector<std::string> variables;
  if (spec.environment) {
    for (const auto& [key, value] : *spec.environment) variables.push_back(key + "=" + value);
  } else {
    for (char** at = environ; *at; ++at) variables.emplace_back(*at);
  }
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> variable_pointers = pointers(variables);

  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return system_error("create a pipe for", program, errno);
  UniqueFd report_read(report[0]), report_write(report[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("start", program, errno);
  if (pid == 0) become(spec, program.c_str(), argument_pointers.data(), variable_pointers.data(), report[1], parent);

  report_write.reset();
  if (spec.new_group && !spec.new_session) ::setpgid(pid, pid);  // whichever of the two comes first
  int error_number = 0;
  ssize_t n;
  do {
    n = ::read(report_read.get(), &error_number, sizeof error_number);
  } while (n < 0 && errno == EINTR);
  if (n == sizeof error_number) {
    ::waitpid(pid, nullptr, 0);
    return system_error("start", program, error_number);
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int problem = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_error("watch", program, problem);
  }
  Process process;
  process.pid_ = pid;
  process.group_ = spec.new_group || spec.new_session;
  process.pidfd_ = std::move(pidfd);
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      group_(other.group_),
      pidfd_(std::move(other.pidfd_)),
      ended_(other.ended_) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    this->~Process();
    pid_ = std::exchange(other.pid_, -1);
    group_ = other.group_;
    pidfd_ = std::move(other.pidfd_);
    ended_ = other.ended_;
  }
  return *this;
}

Process::~Process() {
  if (pid_ > 0 && !ended_) {
    signal(SIGKILL);
    wait();
  }
}

std::optional<ExitStatus> Process::wait(Duration timeout) {
  if (ended_ || pid_ <= 0) return ended_;
  pollfd watch{pidfd_.get(), POLLIN, 0};
  constexpr std::int64_t kPollMax = std::numeric_limits<int>::max();
  const int timeout_ms =
      timeout.count() < 0
          ? -1
          : static_cast<int>(std::min(timeout.count() / 1000 + (timeout.count() % 1000 != 0), kPollMax));
  int n;
  do {
    n = ::poll(&watch, 1, timeout_ms);
  } while (n < 0 && errno == EINTR);
  if (n == 0) return std::nullopt;
  int status = 0;
  pid_t reaped;
  do {
    reaped = ::waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  ExitStatus ended;
  if (reaped == pid_) {
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    ended.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  ended_ = ended;
  return ended_;
}

bool Process::signal(int number) {
  if (pid_ <= 0) return false;
  if (group_) return ::kill(-pid_, number) == 0;
  return !ended_ && ::kill(pid_, number) == 0;
}

ExitStatus Process::stop(Duration grace) {
  CHECK(pid_ > 0, "a process that was detached or moved away cannot be stopped");
  if (!ended_) {
    signal(SIGTERM);
    if (!wait(grace)) signal(SIGKILL);
    wait();
  }
  if (group_) ::kill(-pid_, SIGKILL);  // children that outlived their leader
  return *ended_;
}

void Process::detach() { pid_ = -1; }

namespace {

/// write(2) to a pipe whose reader may be gone: EPIPE, not the signal that would end the whole program.
ssize_t write_to_pipe(int fd, std::string_view bytes) {
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t n = ::write(fd, bytes.data(), bytes.size());
  const int problem = errno;
  if (n < 0 && problem == EPIPE && !sigismember(&before, SIGPIPE)) {
    const timespec at_once{};
    ::sigtimedwait(&pipe_signal, nullptr, &at_once);  // takes back the one that this write raised
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = problem;
  return n;
}

}  // namespace

Result<Output> run_command(ProcessSpec spec, Duration timeout, std::string_view input, size_t bytes_max) {
  int in[2], out[2], err[2];
  if (::pipe2(in, O_CLOEXEC) != 0) return system_error("create a pipe for", spec.arguments[0], errno);
  UniqueFd in_read(in[0]), in_write(in[1]);
  if (::pipe2(out, O_CLOEXEC) != 0) return system_error("create a pipe for", spec.arguments[0], errno);
  UniqueFd out_read(out[0]), out_write(out[1]);
  if (::pipe2(err, O_CLOEXEC) != 0) return system_error("create a pipe for", spec.arguments[0], errno);
  UniqueFd err_read(err[0]), err_write(err[1]);
  spec.stdin_fd = in_read.get();
  spec.stdout_fd = out_write.get();
  spec.stderr_fd = err_write.get();
  Process process = TRY(Process::start(spec));
  in_read.reset();
  out_write.reset();
  err_write.reset();
  ::fcntl(in_write.get(), F_SETFL, O_NONBLOCK);
  if (input.empty()) in_write.reset();

  Output result;
  const Time deadline = system_clock().steady() + timeout;
  char buffer[65536];
  while (out_read || err_read) {
    const auto left_ms = (deadline - system_clock().steady()).count() / 1000;
    if (left_ms <= 0) {
      process.signal(SIGKILL);
      return Error{ErrorCode::timed_out, "'" + spec.arguments[0] + "' did not end within " +
                                             std::to_string(timeout.count() / 1'000'000) + " s and was killed"};
    }
    pollfd watch[3] = {{out_read ? out_read.get() : -1, POLLIN, 0},
                       {err_read ? err_read.get() : -1, POLLIN, 0},
                       {in_write ? in_write.get() : -1, POLLOUT, 0}};
    ::poll(watch, 3, static_cast<int>(std::min<std::int64_t>(left_ms, 1000)));
    const auto drain = [&](pollfd& which, UniqueFd& fd, std::string& into) {
      if (!(which.revents & (POLLIN | POLLHUP | POLLERR))) return;
      const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
      if (n > 0)
        into.append(buffer, std::min<size_t>(static_cast<size_t>(n), bytes_max - std::min(bytes_max, into.size())));
      if (n == 0 || (n < 0 && errno != EINTR)) fd.reset();
    };
    drain(watch[0], out_read, result.out);
    drain(watch[1], err_read, result.err);
    if (watch[2].revents != 0) {
      const ssize_t n = write_to_pipe(in_write.get(), input);
      if (n > 0) input.remove_prefix(static_cast<size_t>(n));
      if ((n < 0 && errno != EAGAIN && errno != EINTR) || input.empty()) in_write.reset();
    }
  }
  const auto ended = process.wait(std::max(deadline - system_clock().steady(), Duration(0)));
  if (!ended)
    return Error{ErrorCode::timed_out, "'" + spec.arguments[0] + "' closed its output and did not end; it was killed"};
  result.status = *ended;
  return result;
}

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 65536);
  if (!stat.ok()) return std::nullopt;
  // The second field is the program's name in parentheses and may contain anything; count from the last ')'.
  const size_t name_end = stat.value().rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  const auto fields = split(std::string_view(stat.value()).substr(name_end + 2), ' ');
  return fields.size() > 19 ? parse_u64(fields[19]) : std::nullopt;
}

}  // namespace slipway

#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "base/text.h"

namespace slipway {
namespace {

constexpr Duration kLong = std::chrono::seconds(60);

Output shell(const std::string& script, std::string_view input = "") {
  return run_command({.arguments = {"sh", "-c", script}}, kLong, input).value();
}

bool is_running(pid_t pid) { return ::kill(pid, 0) == 0; }

/// A killed process lingers until its parent (init, by then) has reaped it.
bool ends_soon(pid_t pid) {
  for (int i = 0; i < 500 && is_running(pid); ++i) {
    const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    if (stat.ok() && stat.value().find(") Z ") != std::string::npos) return true;
    ::usleep(10'000);
  }
  return !is_running(pid);
}

TEST(Process, output_and_exit_code_come_back) {
  const Output output = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(output.out, "out\n");
  EXPECT_EQ(output.err, "err\n");
  EXPECT_EQ(output.status.code, 3);
  EXPECT_FALSE(output.status.ok());
  EXPECT_EQ(render(output.status), "exit code 3");
}

TEST(Process, a_signal_is_told_from_an_exit) {
  const Output output = shell("kill -9 $$");
  EXPECT_EQ(output.status.signal, SIGKILL);
  EXPECT_EQ(render(output.status), "killed by signal 9 (Killed)");
}

TEST(Process, input_reaches_the_child_whatever_its_size) {
  const std::string input(3'000'000, 'x');
  EXPECT_EQ(shell("cat", input).out, input);
  EXPECT_EQ(shell("wc -c", "").out, "0\n");
}

TEST(Process, a_child_that_does_not_read_its_input_is_no_harm) {
  EXPECT_TRUE(shell("exec <&-; sleep 0.05", std::string(3'000'000, 'x')).status.ok());
}

TEST(Process, output_over_the_limit_is_dropped_and_the_child_goes_on) {
  const auto output =
      run_command({.arguments = {"sh", "-c", "head -c 1000000 /dev/zero; echo end >&2"}}, kLong, "", 100).value();
  EXPECT_EQ(output.out.size(), 100u);
  EXPECT_EQ(output.err, "end\n");
}

TEST(Process, a_command_over_its_time_is_killed) {
  const Time start = system_clock().steady();
  const auto output = run_command({.arguments = {"sleep", "60"}}, std::chrono::milliseconds(50));
  EXPECT_EQ(output.error().code, ErrorCode::timed_out);
  EXPECT_LT(system_clock().steady() - start, std::chrono::seconds(30));
}

TEST(Process, what_cannot_be_started_says_why) {
  EXPECT_EQ(Process::start({.arguments = {"no-such-program-anywhere"}}).error().code, ErrorCode::not_found);
  EXPECT_EQ(Process::start({.arguments = {"/nowhere/program"}}).error().code, ErrorCode::not_found);
  EXPECT_EQ(Process::start({.arguments = {"/etc/passwd"}}).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(Process::start({.arguments = {"true"}, .directory = "/nowhere"}).error().code, ErrorCode::not_found);
}

TEST(Process, the_environment_is_exactly_what_was_given) {
  const auto output =
      run_command({.arguments = {"env"}, .environment = {{{"A", "1"}, {"PATH", "/usr/bin:/bin"}}}}, kLong).value();
  EXPECT_EQ(output.out, "A=1\nPATH=/usr/bin:/bin\n");
}

TEST(Process, starts_in_the_folder_given) {
  const TemporaryDirectory folder;
  const auto output = run_command({.arguments = {"pwd"}, .directory = folder.path()}, kLong).value();
  EXPECT_EQ(trim(output.out), std::filesystem::canonical(folder.path()).string());
}

TEST(Process, descriptors_are_handed_over_under_the_numbers_asked_for) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd in(pipe[0]), out(pipe[1]);
  // All low numbers, so that one of them is what the parent uses for itself.
  ProcessSpec spec{.arguments = {"sh", "-c", "for n in 3 4 5 6 7 8 9; do echo $n >&$n; done"}};
  for (int number = 3; number <= 9; ++number) spec.inherit.emplace_back(out.get(), number);
  ASSERT_TRUE(Process::start(spec).value().wait()->ok());
  char buffer[64];
  const ssize_t n = ::read(in.get(), buffer, sizeof buffer);
  EXPECT_EQ(std::string(buffer, static_cast<size_t>(n)), "3\n4\n5\n6\n7\n8\n9\n");

  // And a failure to start is still told, though its channel's number was taken.
  spec.directory = "/nowhere";
  EXPECT_EQ(Process::start(spec).error().code, ErrorCode::not_found);
}

TEST(Process, no_other_descriptor_reaches_the_child) {
  const UniqueFd leak = open_file("/etc/passwd", O_RDONLY).value();
  const std::string listed = shell("ls -l /proc/self/fd").out;
  EXPECT_EQ(listed.find("/etc/passwd"), std::string::npos) << listed;
}

TEST(Process, wait_gives_up_at_its_timeout_and_answers_twice) {
  Process process = Process::start({.arguments = {"sleep", "60"}}).value();
  EXPECT_EQ(process.wait(std::chrono::milliseconds(5)), std::nullopt);
  EXPECT_TRUE(process.signal(SIGKILL));
  EXPECT_EQ(process.wait(Duration::max())->signal, SIGKILL);
  EXPECT_EQ(process.wait()->signal, SIGKILL);
}

TEST(Process, stop_asks_first_and_then_kills_the_children_too) {
  const TemporaryDirectory folder;
  const auto start = [&](const std::string& trap) {
    ProcessSpec spec{
        .arguments = {"sh", "-c",
                      "trap '" + trap +
                          "' TERM; sleep 100 & echo $! > pid.part; mv pid.part pid; while :; do sleep 0.01; done"},
        .directory = folder.path()};
    Process process = Process::start(spec).value();
    while (!std::filesystem::exists(folder.path() / "pid")) ::usleep(1000);
    return process;
  };
  const auto child = [&] { return static_cast<pid_t>(*parse_i64(trim(read_file(folder.path() / "pid").value()))); };

  Process polite = start("exit 7");
  EXPECT_EQ(polite.stop(std::chrono::seconds(30)).code, 7);
  EXPECT_TRUE(ends_soon(child()));
  std::filesystem::remove(folder.path() / "pid");

  Process stubborn = start("");
  EXPECT_EQ(stubborn.stop(std::chrono::milliseconds(50)).signal, SIGKILL);
  EXPECT_TRUE(ends_soon(child()));
}

TEST(Process, destruction_kills_and_reaps_unless_detached) {
  pid_t pid = 0;
  { pid = Process::start({.arguments = {"sleep", "60"}}).value().pid(); }
  EXPECT_FALSE(is_running(pid));
  {
    Process process = Process::start({.arguments = {"sleep", "60"}}).value();
    pid = process.pid();
    process.detach();
  }
  EXPECT_TRUE(is_running(pid));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST(ProcessDeathTest, a_detached_process_cannot_be_stopped) {
  EXPECT_DEATH(
      {
        Process process = Process::start({.arguments = {"true"}}).value();
        process.detach();
        process.stop(Duration(0));
      },
      "detached");
}

TEST(Process, a_child_gets_no_descriptor_that_was_not_handed_over) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);  // without close-on-exec, as libraries open theirs
  const UniqueFd from(pipe[0]), to(pipe[1]);
  const auto count = [](const ProcessSpec& spec) { return run_command(spec, kLong).value().out; };
  const std::string script = "ls /proc/self/fd/" + std::to_string(to.get()) + " 2>/dev/null | wc -l";
  EXPECT_EQ(trim(count({.arguments = {"sh", "-c", script}})), "0");
  EXPECT_EQ(trim(count({.arguments = {"sh", "-c", script}, .inherit = {{to.get(), to.get()}}})), "1");
}

TEST(Process, start_ticks_name_a_process_for_good) {
  const auto mine = process_start_ticks(::getpid());
  ASSERT_TRUE(mine.has_value());
  EXPECT_EQ(process_start_ticks(::getpid()), mine);
  Process child = Process::start({.arguments = {"sleep", "60"}}).value();
  EXPECT_GE(process_start_ticks(child.pid()), mine);
  EXPECT_EQ(process_start_ticks(0x7ffffff0), std::nullopt);
}

}  // namespace
}  // namespace slipway

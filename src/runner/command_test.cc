#include "runner/command.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "base/base.h"

namespace slipway::runner {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Watched {
  AttemptResult result;
  std::string output;
  Usage usage;
};

Watched watch(const std::string& command, Limits limits = {}, std::optional<StopRequest> stop_after_output = {},
              std::uint64_t memory_bytes_max = 0) {
  Watched watched;
  CommandSpec spec;
  spec.command = command;
  spec.directory = "/tmp";
  spec.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  spec.limits = limits;
  spec.memory_bytes_max = memory_bytes_max;
  spec.sample_interval = milliseconds(50);
  CommandHooks hooks;
  hooks.on_output = [&](std::string_view bytes) { watched.output += bytes; };
  hooks.on_usage = [&](const Usage& usage) {
    watched.usage.cpu_s = std::max(watched.usage.cpu_s, usage.cpu_s);
    watched.usage.processes = std::max(watched.usage.processes, usage.processes);
    watched.usage.memory_bytes = std::max(watched.usage.memory_bytes, usage.memory_bytes);
  };
  hooks.stop_asked = [&]() -> std::optional<StopRequest> {
    return watched.output.empty() ? std::nullopt : stop_after_output;
  };
  watched.result = watch_command(spec, hooks, system_clock());
  return watched;
}

/// A word that only processes of this test have in their command line.
int count_running(const std::string& word) {
  ProcessSpec spec;
  spec.arguments = {"pgrep", "-fc", word};
  return static_cast<int>(parse_i64(trim(run_command(spec, seconds(10))->out)).value_or(0));
}

TEST(Command, output_of_both_streams_comes_in_order) {
  const Watched watched = watch("echo one; echo two >&2; echo three");
  EXPECT_TRUE(watched.result.ok()) << watched.result.message;
  EXPECT_EQ(watched.output, "one\ntwo\nthree\n");
}

TEST(Command, its_exit_code_is_told) {
  const Watched watched = watch("exit 3");
  EXPECT_EQ(watched.result.end, AttemptEnd::exited);
  EXPECT_EQ(watched.result.exit_code, 3);
  EXPECT_EQ(watched.result.message, "the command ended with exit code 3");
  EXPECT_FALSE(watched.result.ok());
}

TEST(Command, the_signal_that_killed_it_is_told) {
  const Watched watched = watch("kill -SEGV $$");
  EXPECT_EQ(watched.result.end, AttemptEnd::signalled);
  EXPECT_EQ(watched.result.signal, SIGSEGV);
}

TEST(Command, binary_output_passes_unchanged) {
  const Watched watched = watch("head -c 300000 /dev/zero; printf '\\377\\000\\n'");
  EXPECT_EQ(watched.output.size(), 300'003u);
  EXPECT_EQ(watched.output.substr(300'000), std::string("\xff\0\n", 3));
}

TEST(Command, a_program_that_does_not_exist_is_exit_code_127) {
  const Watched watched = watch("no-such-program-at-all");
  EXPECT_EQ(watched.result.exit_code, 127);
  EXPECT_NE(watched.output.find("not found"), std::string::npos);
}

TEST(Command, one_that_hangs_is_ended_by_its_time_limit) {
  Limits limits;
  limits.time = milliseconds(300);
  limits.grace = seconds(5);
  const Watched watched = watch("sleep 60", limits);
  EXPECT_EQ(watched.result.end, AttemptEnd::time_limit);
  EXPECT_EQ(watched.result.signal, SIGTERM);
  EXPECT_EQ(watched.result.message, "ended because it ran longer than its time limit of 300ms");
}

TEST(Command, one_that_falls_silent_is_ended_and_one_that_talks_is_not) {
  Limits limits;
  limits.silence = seconds(2);
  EXPECT_EQ(watch("echo hello; sleep 60", limits).result.end, AttemptEnd::silence_limit);
  EXPECT_TRUE(watch("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo $i; sleep 0.2; done", limits).result.ok());
}

TEST(Command, one_that_ignores_sigterm_is_killed_after_the_grace) {
  const Time start = system_clock().steady();
  const Watched watched =
      watch("trap '' TERM; echo ready; while :; do sleep 0.1; done", {}, StopRequest{milliseconds(300)});
  EXPECT_EQ(watched.result.end, AttemptEnd::stopped);
  EXPECT_EQ(watched.result.signal, SIGKILL);
  EXPECT_LT(system_clock().steady() - start, seconds(5));
}

TEST(Command, one_that_cleans_up_within_the_grace_is_let_end) {
  const Watched watched =
      watch("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done", {}, StopRequest{seconds(10)});
  EXPECT_EQ(watched.result.end, AttemptEnd::stopped);
  EXPECT_EQ(watched.result.signal, 0);
  EXPECT_NE(watched.output.find("bye"), std::string::npos);
}

TEST(Command, children_left_behind_are_killed_even_in_a_session_of_their_own) {
  const std::string word = "slipway-left-behind-" + random_hex(8);
  const Watched watched = watch("(exec -a " + word + " sleep 300) 2>/dev/null & bash -c 'exec -a " + word +
                                " sleep 301' & setsid bash -c 'exec -a " + word + " sleep 302' & sleep 0.5; echo done");
  EXPECT_EQ(watched.output, "done\n");
  EXPECT_TRUE(watched.result.ok());
  EXPECT_EQ(count_running(word), 0);
}

TEST(Command, use_counts_children) {
  // Each holds its memory until the other has its own too, and works on for a while.
  const Watched watched = watch(
      "both=$(mktemp -d); for i in 1 2; do python3 -c 'import os, sys, time\nx = bytearray(50_000_000)\n"
      "open(sys.argv[1] + sys.argv[2], \"w\")\nwhile len(os.listdir(sys.argv[1])) < 2: time.sleep(0.01)\n"
      "for i in range(6_000_000): pass' $both/ $i & done; wait; rm -r $both");
  EXPECT_GE(watched.usage.processes, 3);
  EXPECT_GT(watched.usage.memory_bytes, 90'000'000u);
  EXPECT_GT(watched.usage.cpu_s, 0.1);
}

TEST(Command, one_that_uses_too_much_memory_is_killed_and_told_so) {
  const Watched watched = watch("echo begun; exec python3 -c 'x = bytearray(200_000_000)\nimport time; time.sleep(60)'",
                                {}, {}, 100'000'000);
  EXPECT_EQ(watched.result.end, AttemptEnd::signalled);
  EXPECT_EQ(watched.result.signal, SIGKILL);
  EXPECT_TRUE(watched.result.message.starts_with("killed because it used ")) << watched.result.message;
  EXPECT_NE(watched.result.message.find("its step asks for 95.4 MiB"), std::string::npos) << watched.result.message;
}

TEST(Command, memory_that_forked_workers_share_is_counted_once) {
  const Watched watched = watch(
      "python3 -c 'import os, time\nx = bytearray(200_000_000)\nfor i in range(4):\n  if os.fork() == 0: time.sleep(1); os._exit(0)\nfor i in range(4): os.wait()'",
      {}, {}, 500'000'000);
  EXPECT_GT(watched.usage.memory_bytes, 500'000'000u) << "each worker shows the shared pages as its own";
  EXPECT_TRUE(watched.result.ok()) << watched.result.message;
}

TEST(Command, a_command_that_closes_its_output_runs_on) {
  const Watched watched = watch("echo a; exec >&- 2>&-; sleep 0.3; exit 4");
  EXPECT_EQ(watched.result.exit_code, 4);
}

TEST(Processes, names_with_parentheses_do_not_confuse_the_reader) {
  const ProcessInfo info =
      parse_stat("7 (a) S 9 (b) S 3 7 7 0 -1 4194304 1 0 0 0 10 20 1 2 20 0 1 0 5 1000 42 18446744073709551615 1 1 0");
  EXPECT_EQ(info.pid, 7);
  EXPECT_EQ(info.parent, 3);
  EXPECT_EQ(info.cpu_ticks, 33u);
  EXPECT_EQ(info.rss_pages, 42u);
  EXPECT_EQ(parse_stat("").pid, 0);
  EXPECT_EQ(parse_stat("x (").pid, 0);
}

}  // namespace
}  // namespace slipway::runner

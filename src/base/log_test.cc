#include "base/log.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace slipway {
namespace {

std::string logged(const std::function<void()>& write) {
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, a_line_has_time_level_room_sentence_and_fields) {
  const std::string line = logged([] {
    log_warning("runs", "it \"ended\"", {{"run", "abc"}, {"why", "no reason"}, {"empty", ""}});
  });
  EXPECT_EQ(line.substr(27), " warning runs \"it \\\"ended\\\"\" run=abc why=\"no reason\" empty=\"\"\n");
}

TEST(Log, a_value_cannot_forge_a_line_or_reach_the_terminal) {
  const std::string line = logged([] {
    log_info("http", "bad", {{"a", "x\n2026 error"}, {"b", "\x1b[2J"}, {"c", "\xff"}});
  });
  EXPECT_EQ(split(line, '\n').size(), 2u);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_TRUE(is_utf8(line));
}

TEST(Log, lines_below_the_level_are_dropped) {
  set_log_level(LogLevel::error);
  EXPECT_EQ(logged([] { log_warning("runs", "x"); }), "");
  set_log_level(LogLevel::info);
  EXPECT_EQ(logged([] { log(LogLevel::debug, "runs", "x"); }), "");
}

TEST(Log, a_file_gets_the_lines_too_and_is_rotated_while_others_write) {
  const TemporaryDirectory folder;
  (void)logged([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 200; ++i) log_info("base", "a line that is long enough", {{"i", std::to_string(i)}});
      });
    }
    set_log_file(folder.path() / "server.log", 10'000, 2);
    for (auto& thread : threads) thread.join();
    for (int i = 0; i < 500; ++i) log_info("base", "one more line", {});
  });
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "server.1.log"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "server.3.log"));
  EXPECT_LE(std::filesystem::file_size(folder.path() / "server.log"), 10'000u);
}

TEST(Log, a_file_that_cannot_be_written_is_no_end) {
  const std::string line = logged([] { set_log_file("/proc/nowhere/server.log", 1000, 1); });
  EXPECT_NE(line.find("/proc/nowhere/server.log"), std::string::npos) << line;
}

}  // namespace
}  // namespace slipway

// Searching logs: what a person sees is what is found, wherever the log is cut into pieces.
#include "runs/log_search.h"

#include <gtest/gtest.h>

namespace slipway::runs {
namespace {

std::string found(const std::string& pattern, std::string_view log, bool match_case = false, size_t piece = SIZE_MAX) {
  std::string out;
  const auto visit = [&](const LogHit& hit) {
    out += std::to_string(hit.place.line) + "@" + std::to_string(hit.place.offset) + " " + hit.text + "; ";
  };
  LogScanner scanner(pattern, match_case, {});
  for (size_t at = 0; at < log.size(); at += std::min(piece, log.size() - at))
    scanner.feed(log.substr(at, piece), visit);
  scanner.finish(visit);
  return out;
}

TEST(LogSearch, lines_are_found_by_number_and_offset_in_either_case) {
  const std::string log = "epoch 1\nloss 0.5\nEpoch 2\n\nlast epoch";
  EXPECT_EQ(found("epoch", log), "1@0 epoch 1; 3@17 Epoch 2; 5@26 last epoch; ");
  EXPECT_EQ(found("Epoch", log, true), "3@17 Epoch 2; ");
  EXPECT_EQ(found("nothing", log), "");
  for (size_t piece = 1; piece < log.size(); ++piece) EXPECT_EQ(found("epoch", log, false, piece), found("epoch", log));
}

TEST(LogSearch, a_line_counts_once_however_often_it_matches) { EXPECT_EQ(found("a", "aaa a\nb\n"), "1@0 aaa a; "); }

TEST(LogSearch, colours_do_not_tear_words_apart) {
  EXPECT_EQ(found("error: disk", "\x1b[31mer\x1b[1mror\x1b[0m: \x1b]0;title\adisk\x1b[K full\n"),
            "1@0 error: disk full; ");
  EXPECT_EQ(shown_line("a\x1b"), "a");
  EXPECT_EQ(shown_line("a\x1b[38;5"), "a");
  EXPECT_EQ(shown_line("\x1b]0;title\x1b\\a\tb\x07"), "a\tb");
}

TEST(LogSearch, of_a_progress_bar_only_what_stands_last_is_found) {
  const std::string log = " 10%\r 50%\r100%\r\nnext\r\n";
  EXPECT_EQ(found("50%", log), "");
  EXPECT_EQ(found("100%", log), "1@0 100%; ");
  EXPECT_EQ(found("next", log), "2@16 next; ");
}

TEST(LogSearch, of_a_long_line_the_part_around_the_match_is_answered) {
  const std::string log = std::string(5'000, 'x') + "needle" + std::string(5'000, 'y') + "\n";
  const std::string text = found("needle", log);
  EXPECT_NE(text.find("xneedley"), std::string::npos);
  EXPECT_LT(text.size(), kLogHitTextBytesMax + 20);
}

TEST(LogSearch, a_line_longer_than_the_limit_is_one_line) {
  std::string log = "first\n" + std::string(3 * kLogLineBytesMax, 'x') + "needle\nlast needle\n";
  const std::string text = found("needle", log, false, 100'000);
  EXPECT_TRUE(text.starts_with("2@6 ")) << text.substr(0, 20);
  EXPECT_NE(text.find("; 3@" + std::to_string(log.size() - 12) + " last needle; "), std::string::npos);
}

}  // namespace
}  // namespace slipway::runs

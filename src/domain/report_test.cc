#include "domain/report.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(Report, a_title_is_a_line_of_text) {
  EXPECT_TRUE(check_report_title("Größer lernt schneller").ok());
  for (const char* title : {"", " a", "a ", "a\nb", "\xff"}) EXPECT_FALSE(check_report_title(title).ok()) << title;
  EXPECT_TRUE(check_report_title(std::string(kReportTitleBytesMax, 'a')).ok());
  EXPECT_FALSE(check_report_title(std::string(kReportTitleBytesMax + 1, 'a')).ok());
}

TEST(Report, a_text_is_utf8_of_any_lines) {
  EXPECT_TRUE(check_report_text("").ok());
  EXPECT_TRUE(check_report_text("# Größen\r\n\tx <script>").ok());
  EXPECT_FALSE(check_report_text("a\xff").ok());
  const auto refused = check_report_text(std::string_view("ab\0c", 4));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message,
            "the report's text has the control character 0x00 at byte 2; expected tabs and ends of lines only");
}

TEST(Report, a_text_has_a_limit) {
  EXPECT_TRUE(check_report_text(std::string(kReportTextBytesMax, 'a')).ok());
  EXPECT_EQ(check_report_text(std::string(kReportTextBytesMax + 1, 'a')).error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace slipway

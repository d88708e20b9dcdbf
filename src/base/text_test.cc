#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace slipway {
namespace {

TEST(Text, hex_goes_there_and_back) {
  const std::vector<unsigned char> bytes = {0x00, 0x7f, 0x80, 0xff};
  EXPECT_EQ(to_hex(bytes), "007f80ff");
  EXPECT_EQ(from_hex("007F80ff"), bytes);
  EXPECT_EQ(from_hex(""), std::vector<unsigned char>{});
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

TEST(Text, base64_matches_rfc_4648_and_goes_there_and_back) {
  const std::pair<const char*, const char*> kVectors[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : kVectors) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded), plain);
  }
  for (size_t size = 0; size < 70; ++size) {
    std::string bytes(size, '\0');
    random_bytes({reinterpret_cast<unsigned char*>(bytes.data()), size});
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
}

TEST(Text, base64_of_anything_else_is_nothing) {
  const std::string_view kWrong[] = {"Z",    "Zg",       "Zg=",  "====", "Zg=a",
                                     "Z===", "Zg==Zg==", "Zm9-", "Zm 9", std::string_view("Zm\0v", 4)};
  for (std::string_view wrong : kWrong) {
    EXPECT_EQ(base64_decode(wrong), std::nullopt) << wrong;
  }
}

TEST(Text, split_and_join_are_inverse) {
  for (const char* text : {"", "a", "a,b", ",", "a,,b,"}) EXPECT_EQ(join(split(text, ','), ","), text);
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
}

TEST(Text, trim_and_case) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(lower("ÄbC"), "Äbc");  // ASCII only
  EXPECT_TRUE(equals_ignore_case("Content-Type", "content-TYPE"));
  EXPECT_FALSE(equals_ignore_case("a", "ab"));
}

TEST(Text, numbers_are_taken_whole_or_not_at_all) {
  EXPECT_EQ(parse_i64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_u64("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const char* wrong : {"", " 1", "1 ", "+1", "1.0", "0x1", "9223372036854775808", "--1"})
    EXPECT_EQ(parse_i64(wrong), std::nullopt) << wrong;
  EXPECT_EQ(parse_u64("-1"), std::nullopt);
  EXPECT_EQ(parse_double("1e3"), 1000.0);
  EXPECT_EQ(parse_double("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(parse_double("NaN").value()));
  for (const char* wrong : {"", "1,5", "1e", "e1", "1e999", " 1"})
    EXPECT_EQ(parse_double(wrong), std::nullopt) << wrong;
}

TEST(Text, doubles_are_rendered_short_and_read_back_the_same) {
  EXPECT_EQ(render_double(0.1), "0.1");
  EXPECT_EQ(render_double(std::nan("")), "NaN");
  EXPECT_EQ(render_double(-std::numeric_limits<double>::infinity()), "-Infinity");
  for (double value : {0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 123456789012345678.0}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(parse_double(render_double(value)).value()),
              std::bit_cast<std::uint64_t>(value));
  }
}

TEST(Text, nearest_finds_a_slip_of_the_pen_and_nothing_else) {
  const std::vector<std::string> keys = {"command", "environment", "inputs", "id"};
  EXPECT_EQ(nearest("comand", keys), "command");
  EXPECT_EQ(nearest("enviroment", keys), "environment");
  EXPECT_EQ(nearest("input", keys), "inputs");
  EXPECT_EQ(nearest("zebra", keys), std::nullopt);
  EXPECT_EQ(nearest("x", keys), std::nullopt);
  EXPECT_EQ(nearest("xy", keys), std::nullopt);
  EXPECT_EQ(nearest("", keys), std::nullopt);
  EXPECT_EQ(nearest(std::string(1'000'000, 'c'), keys), std::nullopt);
}

TEST(Text, shell_quote_makes_one_word) {
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_quote(""), "''");
}

TEST(Text, utf8_is_what_rfc_3629_says) {
  for (const char* right : {"", "a", "é", "€", "🚢", "\xF4\x8F\xBF\xBF"}) EXPECT_TRUE(is_utf8(right)) << right;
  for (const char* wrong : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF8\x88\x80\x80\x80", "\xE2\x82", "a\xFF"}) {
    EXPECT_FALSE(is_utf8(wrong));
  }
}

TEST(Text, clean_utf8_repairs_and_cuts_at_a_characters_edge) {
  EXPECT_EQ(clean_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(clean_utf8("a€", 3), "a");
  EXPECT_EQ(clean_utf8("a€", 4), "a€");
  EXPECT_EQ(clean_utf8("abc", 0), "");
}

TEST(Text, byte_counts_are_for_people) {
  EXPECT_EQ(render_bytes(0), "0 B");
  EXPECT_EQ(render_bytes(340), "340 B");
  EXPECT_EQ(render_bytes(1536), "1.5 KiB");
  EXPECT_EQ(render_bytes(1023 * 1024), "1023 KiB");
  EXPECT_EQ(render_bytes(std::uint64_t{3} << 40), "3 TiB");
  for (std::uint64_t n = 1; n != 0; n <<= 1) EXPECT_EQ(render_bytes(n - 1).find('e'), std::string::npos);
}

TEST(Text, byte_counts_are_read) {
  EXPECT_EQ(parse_bytes("1024").value(), 1024u);
  EXPECT_EQ(parse_bytes("16GiB").value(), std::uint64_t{16} << 30);
  EXPECT_EQ(parse_bytes(" 1.5 MB ").value(), 1'500'000u);
  EXPECT_EQ(parse_bytes("2kib").value(), 2048u);
  for (const char* wrong : {"", "GiB", "-1", "1..5", "1e3", "5 parsecs", "99999999999 TiB"}) {
    ASSERT_FALSE(parse_bytes(wrong).ok()) << wrong;
    EXPECT_EQ(parse_bytes(wrong).error().code, ErrorCode::invalid_argument);
  }
}

TEST(Text, a_relative_path_stays_in_its_folder) {
  for (const char* right : {"a", "a/b.png", ".hidden", "a..b", "...", "ünï/ço.de"})
    EXPECT_TRUE(check_relative_path(right).ok()) << right;
  const std::string_view kWrong[] = {
      "", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/.", "a\\b", std::string_view("a\0b", 3), "a\xFF"};
  for (std::string_view wrong : kWrong) EXPECT_FALSE(check_relative_path(wrong).ok()) << wrong;
  EXPECT_TRUE(check_relative_path(std::string(1024, 'a')).ok());
  EXPECT_FALSE(check_relative_path(std::string(1025, 'a')).ok());
}

}  // namespace
}  // namespace slipway

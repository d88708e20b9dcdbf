#include "http/url.h"

#include <gtest/gtest.h>

#include "http/http.h"

namespace slipway::http {
namespace {

TEST(Url, encoding_keeps_the_unreserved_and_decodes_back) {
  EXPECT_EQ(url_encode("a-b_c.d~e"), "a-b_c.d~e");
  EXPECT_EQ(url_encode("a b/c?"), "a%20b%2Fc%3F");
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(url_decode(url_encode(all)), all);
}

TEST(Url, broken_percent_signs_stay_as_they_are) {
  EXPECT_EQ(url_decode("%"), "%");
  EXPECT_EQ(url_decode("100%"), "100%");
  EXPECT_EQ(url_decode("%4"), "%4");
  EXPECT_EQ(url_decode("%zz%41"), "%zzA");
}

TEST(Url, a_plus_is_a_space_only_in_queries) {
  EXPECT_EQ(url_decode("a+b"), "a+b");
  EXPECT_EQ(url_decode("a+b", true), "a b");
}

TEST(Url, queries_keep_order_and_repeated_keys) {
  const auto pairs = parse_query("a=1&b=x%20y&a=2&flag&=v&c=d=e&&");
  ASSERT_EQ(pairs.size(), 6u);
  EXPECT_EQ(pairs[1].second, "x y");
  EXPECT_EQ(pairs[2], (std::pair<std::string, std::string>("a", "2")));
  EXPECT_EQ(pairs[3], (std::pair<std::string, std::string>("flag", "")));
  EXPECT_EQ(pairs[4], (std::pair<std::string, std::string>("", "v")));
  EXPECT_EQ(pairs[5], (std::pair<std::string, std::string>("c", "d=e")));
}

TEST(Url, a_query_of_too_many_values_is_cut) {
  std::string text;
  for (size_t i = 0; i < kQueryValuesMax + 10; ++i) text += "a&";
  EXPECT_EQ(parse_query(text).size(), kQueryValuesMax);
}

}  // namespace
}  // namespace slipway::http

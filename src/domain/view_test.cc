#include "domain/view.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(View, a_page_is_a_line_of_text) {
  EXPECT_TRUE(check_view_page("samples of digits").ok());
  for (const char* page : {"", " runs", "a\nb"}) EXPECT_FALSE(check_view_page(page).ok()) << page;
  EXPECT_FALSE(check_view_page(std::string(kViewPageBytesMax + 1, 'a')).ok());
}

TEST(View, a_name_is_a_line_of_text) {
  EXPECT_TRUE(check_view_name("best of May, größte zuerst").ok());
  for (const char* name : {"", " a", "a ", "a\nb", "a\x7f"}) EXPECT_FALSE(check_view_name(name).ok()) << name;
  EXPECT_FALSE(check_view_name(std::string(kViewNameBytesMax + 1, 'a')).ok());
}

TEST(View, a_query_can_be_nothing_but_a_query) {
  for (const char* query : {"", "filter=a%3D1&sort=-metrics.loss", "a=%E2%82%AC"})
    EXPECT_TRUE(check_view_query(query).ok()) << query;
  for (const char* query : {"?a=1", "a=1#top", "a b", "a=\xc3\xa4", "a\n"})
    EXPECT_FALSE(check_view_query(query).ok()) << query;
  const auto refused = check_view_query(std::string(kViewQueryBytesMax + 1, 'a'));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace slipway

#include "api/send_blob.h"

#include <gtest/gtest.h>

namespace slipway::api {
namespace {

TEST(Range, one_range_is_served_whole_or_cut_to_what_there_is) {
  EXPECT_FALSE(parse_range("", 100));
  EXPECT_EQ(parse_range("bytes=0-9", 100)->length, 10u);
  EXPECT_EQ(parse_range("bytes=90-", 100)->length, 10u);
  EXPECT_EQ(parse_range("bytes=90-1000", 100)->length, 10u);
  EXPECT_EQ(parse_range("bytes=-5", 100)->first, 95u);
  EXPECT_EQ(parse_range("bytes=-500", 100)->length, 100u);
}

TEST(Range, what_cannot_be_served_is_said_and_what_makes_no_sense_is_ignored) {
  EXPECT_FALSE(parse_range("bytes=100-", 100)->satisfiable);
  EXPECT_FALSE(parse_range("bytes=-0", 100)->satisfiable);
  for (const char* text : {"bytes=9-1", "bytes=-", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=18446744073709551616-"}) EXPECT_FALSE(parse_range(text, 100)) << text;
}

}  // namespace
}  // namespace slipway::api

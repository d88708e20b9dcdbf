#include "http/range.h"

#include <gtest/gtest.h>

namespace slipway::http {
namespace {

using Kind = RangeRequest::Kind;

void expect_part(std::string_view header, std::uint64_t size, ByteRange wanted) {
  const RangeRequest found = parse_range(header, size);
  EXPECT_EQ(found.kind, Kind::part) << header;
  EXPECT_EQ(found.range, wanted) << header << " of " << size;
}

TEST(Range, positions_are_inclusive_and_cut_at_the_end) {
  expect_part("bytes=0-99", 1000, {0, 100});
  expect_part("bytes=0-0", 1000, {0, 1});
  expect_part("bytes=900-", 1000, {900, 100});
  expect_part("bytes=900-5000", 1000, {900, 100});
  expect_part("bytes=-5", 1000, {995, 5});
  expect_part("bytes=-5000", 1000, {0, 1000});
  expect_part("bytes=0-99999999999999999999999", 10, {0, 10});
}

TEST(Range, what_begins_behind_the_end_is_unsatisfiable) {
  for (const char* header : {"bytes=1000-", "bytes=1000-1001", "bytes=99999999999999999999-", "bytes=-0"}) {
    EXPECT_EQ(parse_range(header, 1000).kind, Kind::unsatisfiable) << header;
  }
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-5", 0).kind, Kind::unsatisfiable);
}

TEST(Range, what_is_not_understood_is_answered_whole) {
  for (const char* header : {"", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,5-6", "lines=0-1",
                             "bytes=+1-2", "bytes=--5", "bytes 0-1"}) {
    EXPECT_EQ(parse_range(header, 1000).kind, Kind::whole) << header;
  }
}

TEST(Range, content_range_says_what_is_sent) {
  EXPECT_EQ(render_content_range(parse_range("bytes=10-19", 100), 100), "bytes 10-19/100");
  EXPECT_EQ(render_content_range(parse_range("bytes=100-", 100), 100), "bytes */100");
}

TEST(Tags, any_of_the_named_tags_matches) {
  EXPECT_TRUE(matches_tag("\"a\"", "\"a\""));
  EXPECT_TRUE(matches_tag("\"b\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(matches_tag("\"a\"", "W/\"a\""));
  EXPECT_TRUE(matches_tag("*", "\"a\""));
  EXPECT_FALSE(matches_tag("", "\"a\""));
  EXPECT_FALSE(matches_tag("\"ab\"", "\"a\""));
  EXPECT_FALSE(matches_tag(",,", ""));
}

TEST(Range, a_range_of_an_older_body_gets_the_whole_new_one) {
  Request request;
  request.headers.add("Range", "bytes=5-").add("If-Range", "\"old\"");
  EXPECT_EQ(requested_range(request, "\"new\"", 10).kind, Kind::whole);
  EXPECT_EQ(requested_range(request, "\"old\"", 10).kind, Kind::part);
  request.method = Method::head;
  EXPECT_EQ(requested_range(request, "\"old\"", 10).kind, Kind::whole);
}

}  // namespace
}  // namespace slipway::http

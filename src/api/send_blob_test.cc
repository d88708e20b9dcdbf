#include "api/send_blob.h"

#include <gtest/gtest.h>

#include "api/api.h"

namespace slipway::api {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
constexpr std::uint64_t kSize = 100;

class BlobAnswers : public testing::Test {
 protected:
  BlobAnswer ask(Headers headers = {}, http::Method method = http::Method::get, bool as_attachment = false) {
    http::Request request;
    request.method = method;
    for (auto& [name, value] : headers) request.headers.add(name, value);
    return answer_with(request, artifact, kSize, as_attachment, error_response);
  }
  /// "206 10+5": status, first byte and length of what follows.
  std::string told(Headers headers, http::Method method = http::Method::get) {
    const BlobAnswer answer = ask(std::move(headers), method);
    const std::string status = std::to_string(answer.head.status);
    return answer.range
               ? status + " " + std::to_string(answer.range->first) + "+" + std::to_string(answer.range->length)
               : status;
  }

  registry::Artifact artifact{"models/net \"1\".onnx", hash_of("bytes"), kSize, "application/x-onnx", {}};
  const std::string tag = '"' + render(artifact.hash) + '"';
};

TEST_F(BlobAnswers, without_conditions_all_bytes_follow) {
  const BlobAnswer whole = ask();
  EXPECT_EQ(whole.head.status, 200);
  EXPECT_EQ(whole.range, (http::ByteRange{0, kSize}));
  EXPECT_EQ(whole.head.headers.get("ETag"), tag);
  EXPECT_EQ(whole.head.headers.get("Accept-Ranges"), "bytes");
  EXPECT_EQ(whole.head.headers.get("Content-Type"), "application/x-onnx");
  EXPECT_FALSE(whole.head.headers.has("Content-Range"));
}

TEST_F(BlobAnswers, a_range_is_served_whole_or_cut_to_what_there_is) {
  EXPECT_EQ(told({{"Range", "bytes=0-9"}}), "206 0+10");
  EXPECT_EQ(told({{"Range", "bytes=90-1000"}}), "206 90+10");
  EXPECT_EQ(told({{"Range", "bytes=-5"}}), "206 95+5");
  EXPECT_EQ(ask({{"Range", "bytes=90-"}}).head.headers.get("Content-Range"), "bytes 90-99/100");
  EXPECT_EQ(told({{"Range", "bytes=0-1,3-4"}}), "200 0+100");
  EXPECT_EQ(told({{"Range", "bytes=0-9"}}, http::Method::head), "200 0+100");
}

TEST_F(BlobAnswers, a_range_behind_the_end_says_how_long_the_bytes_are) {
  const BlobAnswer refused = ask({{"Range", "bytes=100-"}});
  EXPECT_EQ(refused.head.status, 416);
  EXPECT_FALSE(refused.range);
  EXPECT_EQ(refused.head.headers.get("Content-Range"), "bytes */100");
  EXPECT_NE(refused.head.body.find("which has 100 bytes"), std::string::npos) << refused.head.body;
}

TEST_F(BlobAnswers, who_has_the_bytes_is_told_so) {
  for (const std::string& has : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")})
    EXPECT_EQ(told({{"If-None-Match", has}}), "304") << has;
  EXPECT_EQ(told({{"If-None-Match", "\"other\""}}), "200 0+100");
  EXPECT_EQ(ask({{"If-None-Match", tag}}).head.headers.get("ETag"), tag);
}

TEST_F(BlobAnswers, who_wants_other_bytes_gets_none) {
  EXPECT_EQ(told({{"If-Match", tag}}), "200 0+100");
  EXPECT_EQ(told({{"If-Match", "\"other\", " + tag}, {"Range", "bytes=0-0"}}), "206 0+1");
  EXPECT_EQ(told({{"If-Match", "*"}}), "200 0+100");
  EXPECT_EQ(told({{"If-Match", "W/" + tag}}), "412");
  EXPECT_EQ(told({{"If-Match", "\"other\""}, {"If-None-Match", tag}}), "412");
  EXPECT_EQ(ask({{"If-Match", "\"other\""}}).head.headers.get("ETag"), tag);
}

TEST_F(BlobAnswers, who_goes_on_with_older_bytes_gets_the_new_ones_whole) {
  EXPECT_EQ(told({{"If-Range", tag}, {"Range", "bytes=50-"}}), "206 50+50");
  EXPECT_EQ(told({{"If-Range", "\"older\""}, {"Range", "bytes=50-"}}), "200 0+100");
  EXPECT_EQ(told({{"If-Range", "Sat, 01 Jan 2022 00:00:00 GMT"}, {"Range", "bytes=500-"}}), "200 0+100");
}

TEST_F(BlobAnswers, what_users_uploaded_is_no_page_of_ours) {
  const BlobAnswer saved = ask({}, http::Method::get, true);
  EXPECT_EQ(saved.head.headers.get("Content-Disposition"), "attachment; filename=\"net 1.onnx\"");
  EXPECT_EQ(saved.head.headers.get("Content-Security-Policy"), "sandbox");
  EXPECT_EQ(saved.head.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(saved.head.compressible);
  EXPECT_FALSE(ask().head.headers.has("Content-Disposition"));
}

}  // namespace
}  // namespace slipway::api

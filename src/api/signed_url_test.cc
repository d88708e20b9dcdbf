#include "api/signed_url.h"

#include <gtest/gtest.h>

namespace slipway::api {
namespace {

using namespace std::chrono_literals;

http::Request asked(http::Method method, const std::string& target) {
  http::Request request;
  request.method = method;
  request.target = target;
  const size_t question = target.find('?');
  request.path = http::url_decode(std::string_view(target).substr(0, question));
  if (question == std::string::npos) return request;
  const std::string query = target.substr(question + 1);
  const size_t ampersand = query.find('&');
  request.query = {{"expires", query.substr(8, ampersand - 8)}, {"signature", query.substr(ampersand + 11)}};
  return request;
}

TEST(SignedUrl, lets_its_holder_do_the_one_thing_until_it_expires) {
  FakeClock clock;
  const SignedUrls urls("k", clock);
  const std::string url = urls.sign(http::Method::put, "/signed/uploads/u 1/2", 1h);
  EXPECT_TRUE(url.starts_with("/signed/uploads/u%201/2?expires=")) << url;
  EXPECT_TRUE(urls.check(asked(http::Method::put, url)).ok());
  clock.advance(1h);
  EXPECT_TRUE(urls.check(asked(http::Method::put, url)).ok());
  clock.advance(1s);
  EXPECT_EQ(urls.check(asked(http::Method::put, url)).error().code, ErrorCode::permission_denied);
}

TEST(SignedUrl, is_good_for_no_other_method_path_time_or_server) {
  FakeClock clock;
  const SignedUrls urls("k", clock);
  const std::string url = urls.sign(http::Method::get, "/signed/a/1", 1h);
  EXPECT_TRUE(urls.check(asked(http::Method::head, url)).ok());
  EXPECT_FALSE(urls.check(asked(http::Method::put, url)).ok());
  EXPECT_FALSE(urls.check(asked(http::Method::get, "/signed/a/2" + url.substr(url.find('?')))).ok());
  EXPECT_FALSE(SignedUrls("other", clock).check(asked(http::Method::get, url)).ok());
  http::Request later = asked(http::Method::get, url);
  later.query[0].second = "99999999999";
  EXPECT_FALSE(urls.check(later).ok());
  EXPECT_FALSE(urls.check(asked(http::Method::get, "/signed/a/1")).ok());
}

TEST(SignedUrl, lasts_a_week_at_most) {
  FakeClock clock;
  const SignedUrls urls("k", clock);
  const std::string url = urls.sign(http::Method::get, "/signed/a", 24h * 365);
  clock.advance(kSignedUrlLifetimeMax + 1s);
  EXPECT_FALSE(urls.check(asked(http::Method::get, url)).ok());
}

TEST(BaseUrl, is_how_the_client_calls_us) {
  http::Request request;
  request.headers.set("Host", "lab.example:7070");
  EXPECT_EQ(base_url_of(request), "http://lab.example:7070");
  request.peer.tls = true;
  EXPECT_EQ(base_url_of(request), "https://lab.example:7070");
  request.peer.tls = false;
  request.headers.set("X-Forwarded-Proto", "https");
  EXPECT_EQ(base_url_of(request), "https://lab.example:7070");
  request.headers.set(std::string(kStaticPrefixHeader), "/lab");
  EXPECT_EQ(base_url_of(request), "https://lab.example:7070/lab");
  request.headers.set(std::string(kStaticPrefixHeader), "");
  EXPECT_EQ(base_url_of(request), "https://lab.example:7070");
}

}  // namespace
}  // namespace slipway::api

#include "http/address.h"

#include <gtest/gtest.h>

#include "http/testing.h"

namespace slipway::http {
namespace {

bool is_public_text(const std::string& ip) {
  const auto addresses = resolve(ip, 80);
  EXPECT_TRUE(addresses.ok()) << ip;
  return is_public(*(*addresses)->ai_addr);
}

TEST(PublicAddress, those_of_the_internet_are) {
  for (const char* ip : {"1.1.1.1",         "9.255.255.255", "11.0.0.0",        "100.63.255.255",   "100.128.0.0",
                         "126.255.255.255", "128.0.0.1",     "169.253.255.255", "172.15.255.255",   "172.32.0.0",
                         "192.167.255.255", "192.169.0.0",   "198.17.255.255",  "198.20.0.0",       "223.255.255.255",
                         "2606:4700::1111", "2a00:1450::1",  "::ffff:1.1.1.1",  "64:ff9b::101:101", "2002:101:101::1"})
    EXPECT_TRUE(is_public_text(ip)) << ip;
}

TEST(PublicAddress, those_of_the_house_are_not) {
  for (const char* ip : {"0.0.0.0",
                         "0.1.2.3",
                         "10.0.0.1",
                         "100.64.0.1",
                         "127.0.0.1",
                         "127.255.255.255",
                         "169.254.169.254",
                         "172.16.0.1",
                         "172.31.255.255",
                         "192.0.0.1",
                         "192.0.2.1",
                         "192.168.1.1",
                         "198.18.0.1",
                         "198.19.255.255",
                         "198.51.100.7",
                         "203.0.113.9",
                         "224.0.0.1",
                         "239.255.255.255",
                         "240.0.0.1",
                         "255.255.255.255",
                         "::",
                         "::1",
                         "fe80::1",
                         "fc00::1",
                         "fd12::1",
                         "ff02::1",
                         "2001::1",
                         "2001:db8::1",
                         "3fff::1",
                         "::ffff:127.0.0.1",
                         "::ffff:169.254.169.254",
                         "64:ff9b::7f00:1",
                         "64:ff9b::a9fe:a9fe",
                         "2002:7f00:1::",
                         "2002:c0a8:101::1",
                         "::7f00:1"})
    EXPECT_FALSE(is_public_text(ip)) << ip;
}

TEST(PublicAddress, old_spellings_of_loopback_are_seen_through) {
  for (const char* host : {"127.1", "0177.0.0.1", "2130706433", "0x7f000001", "localhost"}) {
    const auto checked = check_public(std::string("http://") + host + "/x");
    ASSERT_FALSE(checked.ok()) << host;
    EXPECT_EQ(checked.error().code, ErrorCode::permission_denied) << host << ": " << checked.error().message;
  }
}

TEST(CutUrl, splits_server_and_target) {
  const auto cut = cut_url("https://example.org:8443/a/b?c=1");
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->server, "https://example.org:8443");
  EXPECT_EQ(cut->target, "/a/b?c=1");
  EXPECT_EQ(cut_url("http://[::1]:80")->target, "/");
  EXPECT_EQ(cut_url("http://h?x=1")->target, "/?x=1");
}

TEST(CutUrl, refuses_what_could_lead_elsewhere) {
  for (const char* url : {"", "example.org", "ftp://example.org/", "http://", "http:///x", "http://a@b/", "http://a b/",
                          "http://a/\r\nX: y", "http://a/#b", "http://a\\b/", "http://a:0/", "http://a:99999/"})
    EXPECT_FALSE(cut_url(url).ok()) << url;
}

TEST(PublicOnly, a_client_that_may_only_go_out_does_not_reach_this_machine) {
  ClientOptions options;
  options.public_addresses_only = true;
  auto client = Client::open("http://127.0.0.1:9", options).value();
  const auto answer = client.request(Method::get, "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::permission_denied);
  EXPECT_NE(answer.error().message.find("127.0.0.1"), std::string::npos) << answer.error().message;
}

}  // namespace
}  // namespace slipway::http

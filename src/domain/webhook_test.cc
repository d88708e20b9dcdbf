#include "domain/webhook.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace slipway {
namespace {

using namespace std::chrono_literals;

Duration wait_of(const WebhookDecision& decision) {
  const auto* retry = std::get_if<WebhookRetry>(&decision);
  EXPECT_NE(retry, nullptr);
  return retry ? retry->after : Duration(0);
}

TEST(WebhookSignature, is_the_one_of_standard_webhooks_with_a_plain_secret) {
  // echo -n 'd1.1700000000.{}' | openssl dgst -sha256 -hmac topsecret -binary | base64
  EXPECT_EQ(webhook_signature("topsecret", "d1", 1'700'000'000, "{}"),
            "v1,cFKQiGhKGuhMTP5a0fgfd2mUosxvcTxtTjHdR3lPqN0=");
  EXPECT_NE(webhook_signature("topsecret", "d2", 1'700'000'000, "{}"),
            webhook_signature("topsecret", "d1", 1'700'000'000, "{}"));
}

TEST(WebhookEvents, each_has_an_example_that_is_json) {
  EXPECT_EQ(webhook_events().size(), 14u);
  for (const std::string_view event : webhook_events()) {
    EXPECT_TRUE(is_webhook_event(event));
    EXPECT_TRUE(Json::parse(webhook_example(event)).value()["name"].is_string()) << event;
  }
  EXPECT_FALSE(is_webhook_event("model_version.deleted"));
  EXPECT_FALSE(is_webhook_event(""));
}

TEST(WebhookBody, names_entity_action_time_and_data) {
  const auto body = Json::parse(webhook_body("model_version.created", Time{1'700'000'000'000'000}, R"({"name":"m"})"));
  ASSERT_TRUE(body.ok());
  EXPECT_EQ((*body)["entity"].string(), "model_version");
  EXPECT_EQ((*body)["action"].string(), "created");
  EXPECT_EQ((*body)["timestamp"].string(), "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ((*body)["data"]["name"].string(), "m");
}

TEST(WebhookName, takes_what_mlflow_takes) {
  for (const char* good : {"a", "a-b", "A.b_c-9", "0"}) EXPECT_TRUE(check_webhook_name(good).ok()) << good;
  for (const std::string& bad : {std::string(), std::string("-a"), std::string("a-"), std::string("a b"),
                                 std::string("ä"), std::string(64, 'a'), std::string("a/b"), std::string("a\n")})
    EXPECT_FALSE(check_webhook_name(bad).ok()) << bad;
}

TEST(WebhookUrl, is_https_unless_plain_is_allowed) {
  EXPECT_TRUE(check_webhook_url("https://example.org/hook", false).ok());
  EXPECT_FALSE(check_webhook_url("http://example.org/hook", false).ok());
  EXPECT_TRUE(check_webhook_url("http://example.org/hook", true).ok());
  for (const char* bad : {"", " ", "file:///etc/passwd", "ftp://x", "example.org", "javascript:x"})
    EXPECT_FALSE(check_webhook_url(bad, true).ok()) << bad;
}

TEST(WebhookDecision, below_300_is_delivered) {
  for (const int status : {200, 201, 204, 299})
    EXPECT_TRUE(std::holds_alternative<WebhookDelivered>(decide_webhook({.status = status})));
}

TEST(WebhookDecision, redirects_and_refusals_are_final) {
  for (const int status : {301, 307, 400, 401, 403, 404, 410})
    EXPECT_TRUE(std::holds_alternative<WebhookFailed>(decide_webhook({.status = status}))) << status;
  EXPECT_TRUE(std::holds_alternative<WebhookFailed>(decide_webhook({.is_refused = true})));
}

TEST(WebhookDecision, waits_double_up_to_a_limit_and_end) {
  EXPECT_EQ(wait_of(decide_webhook({.number = 1})), 1s);
  EXPECT_EQ(wait_of(decide_webhook({.number = 2, .status = 503})), 2s);
  EXPECT_EQ(wait_of(decide_webhook({.number = 5, .status = 500})), 16s);
  EXPECT_EQ(wait_of(decide_webhook({.number = 9, .status = 429})), 256s);
  EXPECT_TRUE(std::holds_alternative<WebhookFailed>(decide_webhook({.number = kWebhookTriesMax, .status = 500})));
}

TEST(WebhookDecision, a_receiver_may_ask_for_more_time_but_not_for_ever) {
  EXPECT_EQ(wait_of(decide_webhook({.number = 1, .status = 429, .retry_after = 30s})), 30s);
  EXPECT_EQ(wait_of(decide_webhook({.number = 3, .status = 429, .retry_after = 1s})), 4s);
  EXPECT_EQ(wait_of(decide_webhook({.number = 1, .status = 429, .retry_after = 24h})), kWebhookRetryAfterMax);
}

}  // namespace
}  // namespace slipway

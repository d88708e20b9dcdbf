#include "teams/webhooks.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "catalog/testing.h"
#include "http/http.h"
#include "teams/webhook_sender.h"

namespace slipway::teams {
namespace {

using namespace std::chrono_literals;

/// A receiver that answers what the test says, and remembers what it got.
class Receiver {
 public:
  Receiver() {
    router.add(http::Method::post, "/hook", [this](http::Request& request, http::Responder responder) {
      requests.lock()->push_back(request);
      http::Response response = http::Response::text("thanks", status.load());
      if (status == 307) response.headers.set("Location", "/elsewhere");
      if (status == 429) response.headers.set("Retry-After", "30");
      responder.send(std::move(response));
    });
    router.add(http::Method::post, "/elsewhere", [this](http::Request&, http::Responder responder) {
      ++elsewhere;
      responder.send(http::Response::text("ok"));
    });
    server = http::Server::start({}, router, pool, counters).value();
  }
  ~Receiver() { server->stop(1s); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server->port()) + "/hook"; }
  std::vector<http::Request> got() { return *requests.lock(); }

  Counters counters;
  ThreadPool pool{"receiver", 2, 16, counters};
  http::Router router;
  std::atomic<int> status{200}, elsewhere{0};
  Guarded<std::vector<http::Request>> requests;
  std::unique_ptr<http::Server> server;
};

class WebhooksTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto url = catalog::fresh_url(GetParam(), folder.path());
    if (!url.ok()) GTEST_SKIP() << url.error().message;
    database = catalog::Database::open({.url = *url}, catalog::schema(), counters).value();
    webhooks = std::make_unique<Webhooks>(*database, clock, SealKey::from_text("k"), WebhooksOptions{true});
    sender = std::make_unique<WebhookSender>(*database, *webhooks, clock, counters, false);
  }

  Webhook hook(std::string secret = "", std::vector<std::string> events = {"model_version.created"}) {
    return webhooks->create(project, {"hook", "", receiver.url(), std::move(secret), std::move(events)}).value();
  }
  void happen(std::string_view event = "model_version.created", std::string data = R"({"name":"m"})") {
    ASSERT_TRUE(database
                    ->write(catalog::Durability::record, catalog::Write([&](catalog::Connection& c) {
                              return webhooks->note(c, project, event, data);
                            }))
                    .ok());
  }
  void send() {
    sender->tick();
    sender->settle();
  }
  std::vector<WebhookDeliveryRecord> deliveries(const Webhook& webhook) {
    return webhooks->deliveries(project, webhook.id, 100).value();
  }

  const ProjectId project = kDefaultProject;
  TemporaryDirectory folder{"webhooks-test"};
  FakeClock clock;
  Counters counters;
  Receiver receiver;
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<Webhooks> webhooks;
  std::unique_ptr<WebhookSender> sender;
};

TEST_P(WebhooksTest, a_change_is_delivered_signed_and_once) {
  const Webhook webhook = hook("topsecret");
  happen();
  send();
  send();
  const auto got = receiver.got();
  ASSERT_EQ(got.size(), 1u);
  const std::string id(got[0].headers.get("X-MLflow-Delivery-Id"));
  EXPECT_EQ(got[0].headers.get("Content-Type"), "application/json");
  EXPECT_EQ(got[0].headers.get("X-MLflow-Timestamp"), std::to_string(clock.now().micros / 1'000'000));
  EXPECT_EQ(got[0].headers.get("X-MLflow-Signature"),
            "v1," + base64_encode(hmac_sha256(
                        "topsecret", id + "." + std::to_string(clock.now().micros / 1'000'000) + "." + got[0].body)));
  EXPECT_EQ(Json::parse(got[0].body).value()["data"]["name"].string(), "m");
  const auto records = deliveries(webhook);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].state, "delivered");
  EXPECT_EQ(records[0].status, 200);
}

TEST_P(WebhooksTest, a_change_that_is_undone_is_not_told) {
  const Webhook webhook = hook();
  const auto undone =
      database->write(catalog::Durability::record, catalog::Write([&](catalog::Connection& c) -> Result<void> {
                        TRY(webhooks->note(c, project, "model_version.created", "{}"));
                        return Error{ErrorCode::failed_precondition, "undone"};
                      }));
  EXPECT_FALSE(undone.ok());
  EXPECT_TRUE(deliveries(webhook).empty());
}

TEST_P(WebhooksTest, only_active_webhooks_of_the_project_hear_of_their_events) {
  const Webhook one = hook("", {"model_version.created", "registered_model.created"});
  const Webhook other =
      webhooks->create(ProjectId("other"), {"x", "", receiver.url(), "", {"model_version.created"}}).value();
  happen("registered_model.created");
  happen("model_version_tag.set");
  ASSERT_TRUE(webhooks->update(project, one.id, {.status = WebhookStatus::disabled}).ok());
  happen();
  EXPECT_EQ(deliveries(one).size(), 1u);
  EXPECT_TRUE(webhooks->deliveries(ProjectId("other"), other.id, 9).value().empty());
  EXPECT_FALSE(webhooks->get(project, other.id).ok());
}

TEST_P(WebhooksTest, what_fails_is_tried_again_under_the_same_id_with_a_fresh_time) {
  const Webhook webhook = hook("s");
  receiver.status = 503;
  happen();
  send();
  send();  // not due yet
  EXPECT_EQ(receiver.got().size(), 1u);
  clock.advance(1s);
  send();
  receiver.status = 200;
  clock.advance(2s);
  send();
  const auto got = receiver.got();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].headers.get("X-MLflow-Delivery-Id"), got[2].headers.get("X-MLflow-Delivery-Id"));
  EXPECT_NE(got[0].headers.get("X-MLflow-Signature"), got[2].headers.get("X-MLflow-Signature"));
  EXPECT_EQ(deliveries(webhook)[0].state, "delivered");
  EXPECT_EQ(deliveries(webhook)[0].tries, 3);
}

TEST_P(WebhooksTest, a_receiver_may_ask_to_wait) {
  hook();
  receiver.status = 429;
  happen();
  send();
  clock.advance(29s);
  send();
  EXPECT_EQ(receiver.got().size(), 1u);
  clock.advance(1s);
  send();
  EXPECT_EQ(receiver.got().size(), 2u);
}

TEST_P(WebhooksTest, a_redirect_is_not_followed) {
  const Webhook webhook = hook();
  receiver.status = 307;
  happen();
  send();
  EXPECT_EQ(receiver.elsewhere, 0);
  EXPECT_EQ(deliveries(webhook)[0].state, "failed");
}

TEST_P(WebhooksTest, nobody_there_is_tried_again) {
  const Webhook webhook =
      webhooks->create(project, {"gone", "", "http://127.0.0.1:9/", "", {"prompt.created"}}).value();
  happen("prompt.created");
  send();
  EXPECT_EQ(deliveries(webhook)[0].state, "waiting");
  EXPECT_NE(deliveries(webhook)[0].message.find("127.0.0.1"), std::string::npos);
}

TEST_P(WebhooksTest, what_waits_outlives_the_server) {
  const Webhook webhook = hook("s");
  happen();
  sender.reset();
  webhooks = std::make_unique<Webhooks>(*database, clock, SealKey::from_text("k"), WebhooksOptions{true});
  sender = std::make_unique<WebhookSender>(*database, *webhooks, clock, counters, false);
  send();
  EXPECT_EQ(receiver.got().size(), 1u);
}

TEST_P(WebhooksTest, a_server_without_the_key_sends_nothing_unsigned) {
  const Webhook webhook = hook("s");
  happen();
  sender.reset();
  webhooks = std::make_unique<Webhooks>(*database, clock, SealKey::from_text("another"), WebhooksOptions{true});
  sender = std::make_unique<WebhookSender>(*database, *webhooks, clock, counters, false);
  send();
  EXPECT_TRUE(receiver.got().empty());
  EXPECT_EQ(deliveries(webhook)[0].state, "failed");
}

TEST_P(WebhooksTest, the_house_is_not_reached_unless_that_is_allowed) {
  webhooks = std::make_unique<Webhooks>(*database, clock, SealKey::from_text("k"), WebhooksOptions{false});
  for (const char* url : {"http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/",
                          "https://[::1]/", "https://10.0.0.1:8443/", "https://0x7f000001/", "file:///etc/passwd"}) {
    const auto made = webhooks->create(project, {"x", "", url, "", {"prompt.created"}});
    ASSERT_FALSE(made.ok()) << url;
    EXPECT_EQ(made.error().code, ErrorCode::invalid_argument) << made.error().message;
  }
  // A name that leads elsewhere by the time something is sent.
  const auto answer = send_webhook({"https://localhost:1/", ""}, "d", "{}", clock.now(), false);
  EXPECT_TRUE(answer.is_refused);
  EXPECT_FALSE(answer.status);
}

TEST_P(WebhooksTest, a_secret_is_not_kept_in_clear_and_changes_with_the_rest) {
  const Webhook webhook = hook("topsecret");
  EXPECT_TRUE(webhook.has_secret);
  const auto kept = database->read_value([&](catalog::Connection& c) {
    return c.first("SELECT secret FROM webhooks", {}, [](const catalog::Row& row) { return std::string(row.text(0)); });
  });
  EXPECT_EQ(kept.value()->find("topsecret"), std::string::npos);
  EXPECT_EQ(webhooks->target(webhook.id)->secret, "topsecret");
  const Webhook changed =
      webhooks
          ->update(project, webhook.id,
                   {.name = "new", .secret = "", .events = std::vector<std::string>{"prompt.created"}})
          .value();
  EXPECT_EQ(changed.name, "new");
  EXPECT_FALSE(changed.has_secret);
  EXPECT_EQ(changed.events, std::vector<std::string>{"prompt.created"});
  EXPECT_EQ(changed.url, webhook.url);
}

TEST_P(WebhooksTest, pages_go_on_where_they_ended) {
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(webhooks->create(project, {"w" + std::to_string(i), "", receiver.url(), "", {"prompt.created"}}).ok());
  std::vector<std::string> names;
  std::string token;
  do {
    const auto page = webhooks->list(project, 2, token).value();
    for (const Webhook& webhook : page.items) names.push_back(webhook.name);
    token = page.next_page_token;
  } while (!token.empty());
  EXPECT_EQ(names, (std::vector<std::string>{"w4", "w3", "w2", "w1", "w0"}));
  EXPECT_FALSE(webhooks->list(project, 2, "x").ok());
}

TEST_P(WebhooksTest, old_deliveries_are_forgotten_and_removed_webhooks_hear_nothing) {
  const Webhook webhook = hook();
  happen();
  send();
  clock.advance(kWebhookHistory + 1s);
  ASSERT_TRUE(webhooks->forget_old().ok());
  EXPECT_TRUE(deliveries(webhook).empty());
  happen();
  ASSERT_TRUE(webhooks->remove(project, webhook.id).ok());
  send();
  EXPECT_EQ(receiver.got().size(), 1u);
  EXPECT_FALSE(webhooks->remove(project, webhook.id).ok());
}

INSTANTIATE_TEST_SUITE_P(Databases, WebhooksTest, testing::Values("sqlite", "postgres"));

}  // namespace
}  // namespace slipway::teams

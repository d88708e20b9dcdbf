// Sends what waits in the outbox of webhooks. What follows a try is decided in domain/webhook.h; this reads, obeys and
// writes down. To one webhook goes one delivery at a time, so a slow receiver holds up only itself.
#pragma once

#include <condition_variable>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "base/result.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "catalog/lease.h"
#include "teams/webhooks.h"

namespace slipway::teams {

inline constexpr size_t kWebhookSenders = 4;                           // threads
inline constexpr Duration kWebhookInterval = std::chrono::seconds(1);  // without being woken
inline constexpr Duration kWebhooksLease = std::chrono::seconds(5);
inline constexpr Duration kWebhookConnectTimeout = std::chrono::seconds(5);
inline constexpr Duration kWebhookAnswerTimeout = std::chrono::seconds(15);
inline constexpr std::uint64_t kWebhookAnswerBytesMax = 64 << 10;
inline constexpr std::int64_t kWebhooksDueMax = 256;  // looked at in one round

/// What came back from one try. `message` says what was wrong.
struct WebhookAnswer {
  std::optional<int> status;
  std::string body, message;
  bool is_refused = false;  // the URL leads where we may not go, or the secret cannot be read
  std::optional<Duration> retry_after;
};

/// Sends one body, signed when the target has a secret, and waits for the answer. Redirects are not followed.
WebhookAnswer send_webhook(const WebhookTarget& target, std::string_view delivery_id, std::string_view body, Time now,
                           bool private_allowed);

/// Threads `webhooks` and `webhook-send-N`. On one PostgreSQL with several servers, one of them does this.
class WebhookSender {
 public:
  /// All outlive it. Without `background` nothing is sent by itself, but tick() works.
  WebhookSender(catalog::Database& database, Webhooks& webhooks, const Clock& clock, Counters& counters,
                bool background = true);
  ~WebhookSender();

  /// Hands what is due to the senders; answers when to look again.
  Duration tick();
  /// Waits until nothing is being sent; for tests.
  void settle();
  /// Sends the example of an event to a webhook at once, past the outbox.
  Result<WebhookAnswer> test(const ProjectId& project, const WebhookId& id, std::string_view event);

 private:
  struct State {
    bool stopping = false, woken = false;
    std::set<std::string> sending;  // webhooks that somebody is being sent to
  };

  void loop();
  void wake();
  void send(const WebhookDelivery& delivery);
  WebhookAnswer try_once(const WebhookDelivery& delivery);

  Webhooks& webhooks_;
  const Clock& clock_;
  const bool is_shared_;
  Counter& delivered_;
  Counter& retried_;
  Counter& failed_;
  catalog::Lease lease_;
  std::condition_variable changed_;
  Guarded<State> state_;
  ThreadPool pool_;  // before the thread that feeds it
  Thread thread_;
};

}  // namespace slipway::teams

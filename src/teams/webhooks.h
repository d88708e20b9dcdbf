// A project's webhooks, and the outbox of what they still have to be told.
//
// What happened and that it must be told are one transaction (registry/change_listener.h), so nothing is told that did
// not happen, and a server that is killed goes on telling when it is started again: each delivery at least once, always
// under the same id. webhook_sender.h does the sending.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/seal.h"
#include "catalog/catalog.h"
#include "domain/webhook.h"
#include "registry/change_listener.h"

namespace slipway::teams {

inline constexpr std::int64_t kWebhooksMax = 100;           // of one project
inline constexpr std::int64_t kWebhookWaitingMax = 10'000;  // deliveries of one webhook; past it the oldest gives up
inline constexpr Duration kWebhookHistory = std::chrono::hours(24 * 7);  // how long ended deliveries are kept

struct NewWebhook {
  std::string name, description, url, secret;
  std::vector<std::string> events;
  WebhookStatus status = WebhookStatus::active;
};

/// nullopt stays.
struct WebhookChange {
  std::optional<std::string> name, description, url, secret;
  std::optional<std::vector<std::string>> events;
  std::optional<WebhookStatus> status;
};

struct WebhookPage {
  std::vector<Webhook> items;   // newest first
  std::string next_page_token;  // empty: that was all
};

/// Where a delivery goes, with its secret in clear.
struct WebhookTarget {
  std::string url, secret;
};

/// A delivery that is due.
struct WebhookDelivery {
  std::int64_t number = 0;
  std::string id, webhook_id, event, body;
  std::int64_t tries = 0;
};

struct WebhookDeliveryRecord {
  std::string id, event, state, message;  // state: waiting, delivered, failed
  std::int64_t tries = 0;
  std::optional<std::int64_t> status;
  Time created_at;
  std::optional<Time> next_at, ended_at;
};

struct WebhooksOptions {
  bool private_allowed = false;  // also http:, loopback and private addresses
};

/// Thread-safe; blocks for the database, and for the name service where a URL is given.
class Webhooks : public registry::ChangeListener {
 public:
  Webhooks(catalog::Database& database, const Clock& clock, SealKey key, WebhooksOptions options)
      : database_(database), clock_(clock), key_(std::move(key)), options_(options) {}

  Result<Webhook> create(const ProjectId& project, const NewWebhook& request);
  Result<Webhook> get(const ProjectId& project, const WebhookId& id);
  Result<WebhookPage> list(const ProjectId& project, std::int64_t page_size, std::string_view page_token);
  Result<Webhook> update(const ProjectId& project, const WebhookId& id, const WebhookChange& change);
  /// What it still had to be told goes with it.
  Result<void> remove(const ProjectId& project, const WebhookId& id);
  /// The newest first.
  Result<std::vector<WebhookDeliveryRecord>> deliveries(const ProjectId& project, const WebhookId& id,
                                                        std::int64_t most);

  // For the sender:
  const WebhooksOptions& options() const { return options_; }
  /// data_loss when the secret was sealed with another key.
  Result<WebhookTarget> target(const WebhookId& id);
  /// The oldest that is due of each webhook.
  Result<std::vector<WebhookDelivery>> due(Time now, std::int64_t most);
  /// When the next one is due; nullopt: none waits.
  Result<std::optional<Time>> next_due();
  /// Writes down how a try went: delivered, due again at a time, or given up.
  Result<void> tried(const WebhookDelivery& delivery, const WebhookDecision& decision, std::optional<int> status,
                     std::string_view message);
  /// Forgets ended deliveries older than kWebhookHistory.
  Result<void> forget_old();
  /// Called after a commit that noted something; set before the first.
  void on_noted(std::function<void()> callback) { noted_ = std::move(callback); }

  Result<void> note(catalog::Connection& connection, const ProjectId& project, std::string_view event,
                    const std::string& data_json) override;
  void committed() override {
    if (noted_) noted_();
  }

 private:
  Result<void> check(const std::string* name, const std::string* description, const std::string* url,
                     const std::string* secret, const std::vector<std::string>* events) const;

  catalog::Database& database_;
  const Clock& clock_;
  const SealKey key_;
  const WebhooksOptions options_;
  std::function<void()> noted_;
};

}  // namespace slipway::teams

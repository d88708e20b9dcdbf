// Webhooks: URLs that are told what happens in a project. The events, the signature and the limits are those of
// MLflow's webhooks (which follow the Standard Webhooks convention), so that receivers written for it verify ours. No
// I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace slipway {

using WebhookId = Id<struct WebhookTag>;

enum class WebhookStatus { active, disabled };
std::string_view name(WebhookStatus status);
std::optional<WebhookStatus> parse_webhook_status(std::string_view text);

struct Webhook {
  WebhookId id;
  ProjectId project;
  std::string name, description, url;
  std::vector<std::string> events;  // "model_version.created", sorted, at least one
  WebhookStatus status = WebhookStatus::active;
  bool has_secret = false;
  Time created_at, updated_at;
};

inline constexpr size_t kWebhookNameCharactersMax = 63;
inline constexpr size_t kWebhookUrlBytesMax = 500;
inline constexpr size_t kWebhookDescriptionBytesMax = 1000;
inline constexpr size_t kWebhookSecretBytesMax = 1000;

/// Every event there is: "registered_model.created", "prompt_alias.deleted", …
std::span<const std::string_view> webhook_events();
bool is_webhook_event(std::string_view event);
/// An event of the kind that has the data of the example that a test of a webhook sends; JSON text.
std::string webhook_example(std::string_view event);

Result<void> check_webhook_name(std::string_view name);
/// https, or http when `plain_allowed`; where it leads is not looked at.
Result<void> check_webhook_url(std::string_view url, bool plain_allowed);

/// The body of a delivery: {"entity", "action", "timestamp", "data"}. `data_json` is JSON text.
std::string webhook_body(std::string_view event, Time at, std::string_view data_json);
/// "v1," and base64 of HMAC-SHA256(secret, "<delivery id>.<timestamp>.<body>"); the timestamp is in whole seconds.
std::string webhook_signature(std::string_view secret, std::string_view delivery_id, std::int64_t timestamp_s,
                              std::string_view body);

// --- retries -------------------------------------------------------------------------------------------------------

inline constexpr std::int64_t kWebhookTriesMax = 10;  // the last about half an hour after the first
inline constexpr Duration kWebhookRetryFirst = std::chrono::seconds(1);
inline constexpr Duration kWebhookRetryMax = std::chrono::minutes(10);
inline constexpr Duration kWebhookRetryAfterMax = std::chrono::hours(1);  // what a receiver may ask for

/// How one try went: a status, or none when nobody answered.
struct WebhookTry {
  std::int64_t number = 1;  // from 1
  std::optional<int> status;
  bool is_refused = false;  // we may not go where the URL leads: trying again changes nothing
  std::optional<Duration> retry_after;
};

struct WebhookDelivered {};
struct WebhookRetry {
  Duration after;
};
struct WebhookFailed {};
using WebhookDecision = std::variant<WebhookDelivered, WebhookRetry, WebhookFailed>;

/// Below 300 it was delivered; 429, 5xx and silence are tried again, each wait twice the last; anything else says that
/// the receiver does not want it. Pure.
WebhookDecision decide_webhook(const WebhookTry& attempt);

}  // namespace slipway

#include "domain/webhook.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace slipway {
namespace {

struct Example {
  std::string_view event;
  std::string_view data;  // JSON
};

constexpr auto kExamples = std::to_array<Example>({
    {"model_version.created",
     R"({"name":"example_model","version":"1","source":"models:/123","run_id":"abcd1234abcd5678","tags":{"example_key":"example_value"},"description":"An example model version"})"},
    {"model_version_alias.created", R"({"name":"example_model","alias":"example_alias","version":"1"})"},
    {"model_version_alias.deleted", R"({"name":"example_model","alias":"example_alias"})"},
    {"model_version_tag.deleted", R"({"name":"example_model","version":"1","key":"example_key"})"},
    {"model_version_tag.set", R"({"name":"example_model","version":"1","key":"example_key","value":"example_value"})"},
    {"prompt.created",
     R"({"name":"example_prompt","tags":{"example_key":"example_value"},"description":"An example prompt"})"},
    {"prompt_alias.created", R"({"name":"example_prompt","alias":"example_alias","version":"1"})"},
    {"prompt_alias.deleted", R"({"name":"example_prompt","alias":"example_alias"})"},
    {"prompt_tag.deleted", R"({"name":"example_prompt","key":"example_key"})"},
    {"prompt_tag.set", R"({"name":"example_prompt","key":"example_key","value":"example_value"})"},
    {"prompt_version.created",
     R"({"name":"example_prompt","version":"1","template":"Hello {{name}}!","tags":{"example_key":"example_value"},"description":"An example prompt version"})"},
    {"prompt_version_tag.deleted", R"({"name":"example_prompt","version":"1","key":"example_key"})"},
    {"prompt_version_tag.set",
     R"({"name":"example_prompt","version":"1","key":"example_key","value":"example_value"})"},
    {"registered_model.created",
     R"({"name":"example_model","tags":{"example_key":"example_value"},"description":"An example registered model"})"},
});

constexpr auto kEvents = [] {
  std::array<std::string_view, kExamples.size()> events{};
  for (size_t i = 0; i < events.size(); ++i) events[i] = kExamples[i].event;
  return events;
}();

}  // namespace

std::string_view name(WebhookStatus status) { return status == WebhookStatus::active ? "ACTIVE" : "DISABLED"; }

std::optional<WebhookStatus> parse_webhook_status(std::string_view text) {
  for (const WebhookStatus status : {WebhookStatus::active, WebhookStatus::disabled}) {
    if (equals_ignore_case(text, name(status))) return status;
  }
  return std::nullopt;
}

std::span<const std::string_view> webhook_events() { return kEvents; }

bool is_webhook_event(std::string_view event) {
  return std::find(kEvents.begin(), kEvents.end(), event) != kEvents.end();
}

std::string webhook_example(std::string_view event) {
  for (const Example& example : kExamples) {
    if (example.event == event) return std::string(example.data);
  }
  return "{}";
}

Result<void> check_webhook_name(std::string_view name) {
  const auto is_alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto is_inner = [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  if (!name.empty() && name.size() <= kWebhookNameCharactersMax && is_alphanumeric(name.front()) &&
      is_alphanumeric(name.back()) && std::all_of(name.begin(), name.end(), is_inner))
    return {};
  return Error{ErrorCode::invalid_argument,
               "Webhook name '" + clean_utf8(name, 100) +
                   "' is invalid. It must start and end with a letter or digit, be at most 63 characters long, and "
                   "contain only letters, digits, dots (.), underscores (_), and hyphens (-)."};
}

Result<void> check_webhook_url(std::string_view url, bool plain_allowed) {
  if (trim(url).empty())
    return Error{ErrorCode::invalid_argument,
                 "Webhook URL cannot be empty; expected for example https://example.org/hook"};
  if (url.size() > kWebhookUrlBytesMax)
    return Error{ErrorCode::invalid_argument, "the webhook's URL has " + std::to_string(url.size()) +
                                                  " bytes; at most " + std::to_string(kWebhookUrlBytesMax) +
                                                  " are taken"};
  if (url.starts_with("https://") || (plain_allowed && url.starts_with("http://"))) return {};
  return Error{ErrorCode::invalid_argument,
               "Invalid webhook URL scheme: '" + clean_utf8(url.substr(0, url.find(':')), 40) +
                   "'. Allowed schemes are: " + (plain_allowed ? "https, http." : "https.")};
}

std::string webhook_body(std::string_view event, Time at, std::string_view data_json) {
  const size_t dot = event.find('.');
  JsonWriter json;
  json.begin_object()
      .member("entity", event.substr(0, dot))
      .member("action", event.substr(dot + 1))
      .member("timestamp", render(at))
      .key("data")
      .raw(data_json)
      .end_object();
  return json.take();
}

std::string webhook_signature(std::string_view secret, std::string_view delivery_id, std::int64_t timestamp_s,
                              std::string_view body) {
  std::string message(delivery_id);
  message.append(".").append(std::to_string(timestamp_s)).append(".").append(body);
  return "v1," + base64_encode(hmac_sha256(secret, message));
}

WebhookDecision decide_webhook(const WebhookTry& attempt) {
  if (attempt.status && *attempt.status < 300) return WebhookDelivered{};
  const bool may_pass = !attempt.status || *attempt.status == 429 || *attempt.status >= 500;
  if (attempt.is_refused || !may_pass || attempt.number >= kWebhookTriesMax) return WebhookFailed{};
  Duration after = kWebhookRetryFirst;
  for (std::int64_t i = 1; i < attempt.number && after < kWebhookRetryMax; ++i) after *= 2;
  after = std::min(after, kWebhookRetryMax);
  if (attempt.retry_after) after = std::clamp(*attempt.retry_after, after, std::max(after, kWebhookRetryAfterMax));
  return WebhookRetry{after};
}

}  // namespace slipway

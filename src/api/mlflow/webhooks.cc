// MLflow's webhooks API. A webhook belongs to a project; whoever may write to the project may keep one.
#include <fmt/format.h>

#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "base/text.h"

namespace slipway::api::mlflow {
namespace {

using http::Method;

constexpr std::int64_t kListDefault = 100;
constexpr std::int64_t kListMax = 1000;

/// {"entity": "MODEL_VERSION", "action": "CREATED"} -> "model_version.created".
std::string event_of(const Json& json) { return lower(json["entity"].string()) + "." + lower(json["action"].string()); }

std::vector<std::string> events_of(const Call& call) {
  std::vector<std::string> events;
  for (const Json& item : call.list("events")) events.push_back(event_of(item));
  return events;
}

void write(JsonWriter& json, const Webhook& webhook) {
  json.begin_object().member("webhook_id", webhook.id.text).member("name", webhook.name);
  if (!webhook.description.empty()) json.member("description", webhook.description);
  json.member("url", webhook.url).key("events").begin_array();
  for (const std::string& event : webhook.events) {
    std::string upper = event;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    const size_t dot = upper.find('.');
    json.begin_object().member("entity", upper.substr(0, dot)).member("action", upper.substr(dot + 1)).end_object();
  }
  json.end_array()
      .member("status", name(webhook.status))
      .member("creation_timestamp", webhook.created_at.millis())
      .member("last_updated_timestamp", webhook.updated_at.millis())
      .end_object();
}

std::string answer_with(const Webhook& webhook) {
  JsonWriter json;
  json.begin_object().key("webhook");
  write(json, webhook);
  json.end_object();
  return json.take();
}

WebhookId id_of(const Call& call) { return WebhookId(call.text("webhook_id")); }

Result<std::optional<WebhookStatus>> status_of(const Call& call) {
  if (!call.has("status")) return std::optional<WebhookStatus>();
  const auto number = call.integer("status");
  if (number == 1) return std::optional(WebhookStatus::active);
  if (number == 2) return std::optional(WebhookStatus::disabled);
  const auto status = parse_webhook_status(call.text("status"));
  if (status) return status;
  return Error{ErrorCode::invalid_argument, fmt::format("Invalid webhook status '{}'; expected ACTIVE or DISABLED",
                                                        clean_utf8(call.text("status"), 100))};
}

Result<std::string> create(const Rooms& rooms, const Call& call) {
  const auto status = TRY(status_of(call));
  return answer_with(TRY(rooms.webhooks.create(
      call.project(), {call.text("name"), call.text("description"), call.text("url"), call.text("secret"),
                       events_of(call), status.value_or(WebhookStatus::active)})));
}

Result<std::string> list(const Rooms& rooms, const Call& call) {
  const std::int64_t most = call.integer("max_results").value_or(kListDefault);
  if (most < 1 || most > kListMax)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("max_results must be between 1 and {}, but got value {}", kListMax, most)};
  const auto page = TRY(rooms.webhooks.list(call.project(), most, call.text("page_token")));
  JsonWriter json;
  json.begin_object().key("webhooks").begin_array();
  for (const Webhook& webhook : page.items) write(json, webhook);
  json.end_array();
  if (!page.next_page_token.empty()) json.member("next_page_token", page.next_page_token);
  json.end_object();
  return json.take();
}

Result<std::string> get(const Rooms& rooms, const Call& call) {
  return answer_with(TRY(rooms.webhooks.get(call.project(), id_of(call))));
}

Result<std::string> update(const Rooms& rooms, const Call& call) {
  teams::WebhookChange change;
  // Empty is as absent for what cannot be empty, as upstream's messages have it.
  if (!call.text("name").empty()) change.name = call.text("name");
  if (!call.text("url").empty()) change.url = call.text("url");
  if (!call.list("events").empty()) change.events = events_of(call);
  if (call.has("description")) change.description = call.text("description");
  if (call.has("secret")) change.secret = call.text("secret");
  change.status = TRY(status_of(call));
  return answer_with(TRY(rooms.webhooks.update(call.project(), id_of(call), change)));
}

Result<std::string> remove(const Rooms& rooms, const Call& call) {
  TRY(rooms.webhooks.remove(call.project(), id_of(call)));
  return std::string("{}");
}

Result<std::string> test(const Rooms& rooms, const Call& call) {
  const std::string event = call.has("event") ? event_of(call.object("event")) : "";
  const auto answer = TRY(rooms.webhook_sender.test(call.project(), id_of(call), event));
  JsonWriter json;
  json.begin_object().key("result").begin_object().member("success", answer.status && *answer.status < 400);
  if (answer.status) json.member("response_status", *answer.status).member("response_body", answer.body);
  if (!answer.status) json.member("error_message", "Failed to test webhook: " + answer.message);
  json.end_object().end_object();
  return json.take();
}

const Field kId{"webhook_id", FieldType::text, true};

}  // namespace

std::span<const Endpoint> webhook_endpoints() {
  static const std::vector<Endpoint> endpoints{
      {Method::post,
       "mlflow/webhooks",
       {{"name", FieldType::text, true},
        {"description"},
        {"url", FieldType::text, true},
        {"events", FieldType::objects, true},
        {"secret"},
        {"status", FieldType::choice}},
       create},
      {Method::get, "mlflow/webhooks", {{"max_results", FieldType::integer}, {"page_token"}}, list},
      {Method::get, "mlflow/webhooks/{webhook_id}", {kId}, get},
      {Method::patch,
       "mlflow/webhooks/{webhook_id}",
       {kId,
        {"name"},
        {"description"},
        {"url"},
        {"events", FieldType::objects},
        {"secret"},
        {"status", FieldType::choice}},
       update},
      {Method::del, "mlflow/webhooks/{webhook_id}", {kId}, remove},
      {Method::post, "mlflow/webhooks/{webhook_id}/test", {kId, {"event", FieldType::object}}, test},
  };
  return endpoints;
}

}  // namespace slipway::api::mlflow

#include "api/native/webhooks.h"

#include "api/api.h"

namespace slipway::api {
namespace {

Json webhook_json(const Webhook& webhook) {
  Json::Array events;
  for (const std::string& event : webhook.events) events.emplace_back(event);
  Json json{Json::Object{}};
  json.set("id", webhook.id.text).set("name", webhook.name).set("description", webhook.description);
  json.set("url", webhook.url).set("events", std::move(events));
  json.set("active", webhook.status == WebhookStatus::active).set("has_secret", webhook.has_secret);
  return json.set("created_at", time_json(webhook.created_at)).set("updated_at", time_json(webhook.updated_at));
}

Json delivery_json(const teams::WebhookDeliveryRecord& delivery) {
  Json json{Json::Object{}};
  json.set("id", delivery.id).set("event", delivery.event).set("state", delivery.state).set("tries", delivery.tries);
  json.set("status", delivery.status ? Json(*delivery.status) : Json()).set("message", delivery.message);
  json.set("created_at", time_json(delivery.created_at)).set("next_at", time_json(delivery.next_at));
  return json.set("ended_at", time_json(delivery.ended_at));
}

Result<Json> list(teams::Webhooks& webhooks, const http::Request& request) {
  const Page page = TRY(page_of(request));
  const auto found = TRY(webhooks.list(project_of(request), page.size, page.token));
  Json::Array items;
  for (const Webhook& webhook : found.items) items.push_back(webhook_json(webhook));
  return Json(Json::Object{})
      .set("webhooks", std::move(items))
      .set("next_page_token", found.next_page_token.empty() ? Json() : Json(found.next_page_token));
}

Result<Json> list_deliveries(teams::Webhooks& webhooks, const http::Request& request) {
  const Page page = TRY(page_of(request));
  Json::Array items;
  for (const auto& delivery :
       TRY(webhooks.deliveries(project_of(request), WebhookId(request.parameter("webhook")), page.size)))
    items.push_back(delivery_json(delivery));
  return Json(Json::Object{}).set("deliveries", std::move(items)).set("next_page_token", nullptr);
}

}  // namespace

void add_webhooks(http::Router& router, teams::Webhooks& webhooks) {
  const auto ok = [](const Json& json) { return http::Response::json(json.render()); };
  router.add(http::Method::get, "/api/v1/webhooks", [&webhooks, ok](http::Request& request, http::Responder responder) {
    answer(responder, list(webhooks, request), ok);
  });
  router.add(http::Method::get, "/api/v1/webhooks/{webhook}/deliveries",
             [&webhooks, ok](http::Request& request, http::Responder responder) {
               answer(responder, list_deliveries(webhooks, request), ok);
             });
}

}  // namespace slipway::api

#include "teams/webhooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "http/address.h"

namespace slipway::teams {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;

#define WEBHOOK_COLUMNS "number, id, project_id, name, description, url, secret, status, created_at, updated_at"
constexpr std::string_view kSelectOne = "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE project_id = ? AND id = ?";
constexpr std::string_view kSelectPage =
    "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE project_id = ? AND number < ? ORDER BY number DESC LIMIT ?";
constexpr std::string_view kSelectEvents = "SELECT event FROM webhook_events WHERE webhook_id = ? ORDER BY event";
constexpr std::string_view kCount = "SELECT COUNT(*) FROM webhooks WHERE project_id = ?";
constexpr std::string_view kInsert =
    "INSERT INTO webhooks (id, project_id, name, description, url, secret, status, created_at, updated_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdate =
    "UPDATE webhooks SET name = ?, description = ?, url = ?, secret = ?, status = ?, updated_at = ? WHERE id = ?";
constexpr std::string_view kDelete = "DELETE FROM webhooks WHERE project_id = ? AND id = ?";
constexpr std::string_view kInsertEvent = "INSERT INTO webhook_events (webhook_id, event) VALUES (?, ?)";
constexpr std::string_view kDeleteEvents = "DELETE FROM webhook_events WHERE webhook_id = ?";
constexpr std::string_view kDeleteDeliveries = "DELETE FROM webhook_deliveries WHERE webhook_id = ?";
constexpr std::string_view kSelectListeners =
    "SELECT w.id FROM webhooks w JOIN webhook_events e ON e.webhook_id = w.id "
    "WHERE w.project_id = ? AND w.status = 'ACTIVE' AND e.event = ?";
constexpr std::string_view kInsertDelivery =
    "INSERT INTO webhook_deliveries (id, webhook_id, event, body, created_at, state, next_at) "
    "VALUES (?, ?, ?, ?, ?, 'waiting', ?)";
// The oldest of too many: a receiver that was away for so long has to look for itself what it missed.
constexpr std::string_view kGiveUpOldest =
    "UPDATE webhook_deliveries SET state = 'failed', ended_at = ?, message = 'too many deliveries were waiting' "
    "WHERE number IN (SELECT number FROM webhook_deliveries WHERE webhook_id = ? AND state = 'waiting' "
    "ORDER BY number DESC LIMIT 1 OFFSET ?)";
constexpr std::string_view kSelectTarget = "SELECT url, secret FROM webhooks WHERE id = ?";
// One of each webhook, so that a long queue of one does not hide the others.
constexpr std::string_view kSelectDue =
    "SELECT number, id, webhook_id, event, body, tries FROM webhook_deliveries WHERE number IN "
    "(SELECT MIN(number) FROM webhook_deliveries WHERE state = 'waiting' AND next_at <= ? GROUP BY webhook_id) "
    "ORDER BY number LIMIT ?";
constexpr std::string_view kSelectNextDue = "SELECT MIN(next_at) FROM webhook_deliveries WHERE state = 'waiting'";
constexpr std::string_view kUpdateDelivery =
    "UPDATE webhook_deliveries SET state = ?, tries = ?, next_at = ?, status = ?, message = ?, ended_at = ? "
    "WHERE number = ? AND state = 'waiting'";
constexpr std::string_view kForget = "DELETE FROM webhook_deliveries WHERE ended_at < ?";
constexpr std::string_view kSelectDeliveries =
    "SELECT id, event, state, message, tries, status, created_at, next_at, ended_at FROM webhook_deliveries "
    "WHERE webhook_id = ? ORDER BY number DESC LIMIT ?";
constexpr size_t kMessageBytesMax = 500;

struct WebhookRow {
  std::int64_t number = 0;
  std::string sealed_secret;
  Webhook webhook;
};

WebhookRow row_of(const Row& row) {
  WebhookRow out;
  out.number = row.integer(0);
  Webhook& webhook = out.webhook;
  webhook.id = WebhookId(row.text(1));
  webhook.project = ProjectId(row.text(2));
  webhook.name = row.text(3);
  webhook.description = row.text(4);
  webhook.url = row.text(5);
  out.sealed_secret = row.text(6);
  webhook.has_secret = !out.sealed_secret.empty();
  webhook.status = parse_webhook_status(row.text(7)).value_or(WebhookStatus::disabled);
  webhook.created_at = Time{row.integer(8)};
  webhook.updated_at = Time{row.integer(9)};
  return out;
}

Result<void> complete(Connection& c, WebhookRow& row) {
  row.webhook.events =
      TRY(c.rows(kSelectEvents, {row.webhook.id.text}, [](const Row& event) { return std::string(event.text(0)); }));
  return {};
}

Result<WebhookRow> find(Connection& c, const ProjectId& project, const WebhookId& id) {
  auto row = TRY(c.first(kSelectOne, {project.text, clean_utf8(id.text, 100)}, row_of));
  if (!row) return Error{ErrorCode::not_found, fmt::format("Webhook with ID {} not found.", clean_utf8(id.text, 100))};
  TRY(complete(c, *row));
  return std::move(*row);
}

Result<void> put_events(Connection& c, const std::string& id, std::vector<std::string> events) {
  std::sort(events.begin(), events.end());
  events.erase(std::unique(events.begin(), events.end()), events.end());
  TRY(c.run(kDeleteEvents, {id}));
  for (const std::string& event : events) TRY(c.run(kInsertEvent, {id, event}));
  return {};
}

catalog::Value nullable(const std::optional<int>& number) {
  return number ? catalog::Value(std::int64_t{*number}) : catalog::Value(nullptr);
}

Result<void> check_text(std::string_view what, std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max && is_utf8(text)) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("the webhook's {} has {} bytes; at most {} of text are taken",
                                                        what, text.size(), bytes_max)};
}

}  // namespace

// --- webhooks ------------------------------------------------------------------------------------------------------

Result<void> Webhooks::check(const std::string* name, const std::string* description, const std::string* url,
                             const std::string* secret, const std::vector<std::string>* events) const {
  if (name != nullptr) TRY(check_webhook_name(*name));
  if (description != nullptr) TRY(check_text("description", *description, kWebhookDescriptionBytesMax));
  if (secret != nullptr) TRY(check_text("secret", *secret, kWebhookSecretBytesMax));
  if (events != nullptr) {
    if (events->empty()) return Error{ErrorCode::invalid_argument, "Webhook events cannot be empty"};
    for (const std::string& event : *events) {
      if (!is_webhook_event(event))
        return Error{ErrorCode::invalid_argument,
                     fmt::format("'{}' is no event of a webhook; expected one such as model_version.created",
                                 clean_utf8(event, 100))};
    }
  }
  if (url == nullptr) return {};
  TRY(check_webhook_url(*url, options_.private_allowed));
  TRY(http::cut_url(*url));
  if (options_.private_allowed) return {};
  const auto reachable = http::check_public(*url);
  if (reachable.ok()) return {};
  return Error{ErrorCode::invalid_argument,
               "Invalid webhook URL: " + reachable.error().message +
                   "; the server's flag --webhook-private-addresses would allow private addresses"};
}

Result<Webhook> Webhooks::create(const ProjectId& project, const NewWebhook& request) {
  TRY(check(&request.name, &request.description, &request.url, &request.secret, &request.events));
  const Time now = clock_.now();
  const std::string id = new_id_text(clock_), sealed = request.secret.empty() ? "" : key_.seal(request.secret);
  return database_.write_value(Durability::record, [&](Connection& c) -> Result<Webhook> {
    const auto count = TRY(c.first(kCount, {project.text}, [](const Row& row) { return row.integer(0); }));
    if (count.value_or(0) >= kWebhooksMax)
      return Error{ErrorCode::failed_precondition,
                   fmt::format("the project has {} webhooks, which is the most; remove one first", kWebhooksMax)};
    TRY(c.run(kInsert, {id, project.text, request.name, request.description, request.url, sealed,
                        std::string(name(request.status)), now.micros, now.micros}));
    TRY(put_events(c, id, request.events));
    return TRY(find(c, project, WebhookId(id))).webhook;
  });
}

Result<Webhook> Webhooks::get(const ProjectId& project, const WebhookId& id) {
  return database_.read_value([&](Connection& c) -> Result<Webhook> { return TRY(find(c, project, id)).webhook; });
}

Result<WebhookPage> Webhooks::list(const ProjectId& project, std::int64_t page_size, std::string_view page_token) {
  const auto before = page_token.empty() ? INT64_MAX : parse_i64(page_token).value_or(-1);
  if (before < 0)
    return Error{ErrorCode::invalid_argument, "Invalid page token: expected one that an earlier page gave"};
  return database_.read_value([&](Connection& c) -> Result<WebhookPage> {
    WebhookPage page;
    auto rows = TRY(c.rows(kSelectPage, {project.text, before, page_size + 1}, row_of));
    if (static_cast<std::int64_t>(rows.size()) > page_size) {
      rows.resize(static_cast<size_t>(page_size));
      page.next_page_token = std::to_string(rows.back().number);
    }
    for (WebhookRow& row : rows) {
      TRY(complete(c, row));
      page.items.push_back(std::move(row.webhook));
    }
    return page;
  });
}

Result<Webhook> Webhooks::update(const ProjectId& project, const WebhookId& id, const WebhookChange& change) {
  const auto pointer = [](const auto& maybe) { return maybe ? &*maybe : nullptr; };
  TRY(check(pointer(change.name), pointer(change.description), pointer(change.url), pointer(change.secret),
            pointer(change.events)));
  std::optional<std::string> sealed;
  if (change.secret) sealed = change.secret->empty() ? "" : key_.seal(*change.secret);
  const Time now = clock_.now();
  return database_.write_value(Durability::record, [&](Connection& c) -> Result<Webhook> {
    const WebhookRow row = TRY(find(c, project, id));
    const Webhook& before = row.webhook;
    TRY(c.run(kUpdate, {change.name.value_or(before.name), change.description.value_or(before.description),
                        change.url.value_or(before.url), sealed.value_or(row.sealed_secret),
                        std::string(name(change.status.value_or(before.status))), now.micros, before.id.text}));
    if (change.events) TRY(put_events(c, before.id.text, *change.events));
    return TRY(find(c, project, id)).webhook;
  });
}

Result<void> Webhooks::remove(const ProjectId& project, const WebhookId& id) {
  return database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(find(c, project, id));
    TRY(c.run(kDeleteEvents, {id.text}));
    TRY(c.run(kDeleteDeliveries, {id.text}));
    TRY(c.run(kDelete, {project.text, id.text}));
    return {};
  });
}

Result<std::vector<WebhookDeliveryRecord>> Webhooks::deliveries(const ProjectId& project, const WebhookId& id,
                                                                std::int64_t most) {
  return database_.read_value([&](Connection& c) -> Result<std::vector<WebhookDeliveryRecord>> {
    TRY(find(c, project, id));
    return c.rows(kSelectDeliveries, {id.text, most}, [](const Row& row) {
      WebhookDeliveryRecord record{std::string(row.text(0)),
                                   std::string(row.text(1)),
                                   std::string(row.text(2)),
                                   std::string(row.text(3)),
                                   row.integer(4),
                                   row.maybe_integer(5),
                                   Time{row.integer(6)},
                                   std::nullopt,
                                   std::nullopt};
      if (record.state == "waiting") record.next_at = Time{row.integer(7)};
      if (!row.is_null(8)) record.ended_at = Time{row.integer(8)};
      return record;
    });
  });
}

// --- the outbox ----------------------------------------------------------------------------------------------------

Result<void> Webhooks::note(Connection& c, const ProjectId& project, std::string_view event,
                            const std::string& data_json) {
  const auto listeners = TRY(c.rows(kSelectListeners, {project.text, std::string(event)},
                                    [](const Row& row) { return std::string(row.text(0)); }));
  const Time now = clock_.now();
  for (const std::string& webhook : listeners) {
    TRY(c.run(kInsertDelivery, {new_id_text(clock_), webhook, std::string(event), webhook_body(event, now, data_json),
                                now.micros, now.micros}));
    TRY(c.run(kGiveUpOldest, {now.micros, webhook, kWebhookWaitingMax}));
  }
  return {};
}

Result<WebhookTarget> Webhooks::target(const WebhookId& id) {
  auto target = TRY(database_.read_value([&](Connection& c) -> Result<WebhookTarget> {
    const auto row = TRY(c.first(kSelectTarget, {id.text}, [](const Row& found) {
      return WebhookTarget{std::string(found.text(0)), std::string(found.text(1))};
    }));
    if (!row) return Error{ErrorCode::not_found, "the webhook was removed"};
    return *row;
  }));
  if (!target.secret.empty()) target.secret = TRY(key_.open(target.secret));
  return target;
}

Result<std::vector<WebhookDelivery>> Webhooks::due(Time now, std::int64_t most) {
  return database_.read_value([&](Connection& c) {
    return c.rows(kSelectDue, {now.micros, most}, [](const Row& row) {
      return WebhookDelivery{row.integer(0),           std::string(row.text(1)), std::string(row.text(2)),
                             std::string(row.text(3)), std::string(row.text(4)), row.integer(5)};
    });
  });
}

Result<std::optional<Time>> Webhooks::next_due() {
  return database_.read_value([&](Connection& c) -> Result<std::optional<Time>> {
    const auto at = TRY(c.first(kSelectNextDue, {}, [](const Row& row) { return row.maybe_integer(0); }));
    if (!at || !*at) return std::optional<Time>();
    return std::optional(Time{**at});
  });
}

Result<void> Webhooks::tried(const WebhookDelivery& delivery, const WebhookDecision& decision,
                             std::optional<int> status, std::string_view message) {
  const Time now = clock_.now();
  const auto* retry = std::get_if<WebhookRetry>(&decision);
  const bool is_delivered = std::holds_alternative<WebhookDelivered>(decision);
  const Time next = retry != nullptr ? now + retry->after : now;
  return database_.write(Durability::record, [&](Connection& c) -> Result<void> {
    TRY(c.run(kUpdateDelivery,
              {std::string(retry != nullptr ? "waiting"
                           : is_delivered   ? "delivered"
                                            : "failed"),
               delivery.tries + 1, next.micros, nullable(status), clean_utf8(message, kMessageBytesMax),
               retry != nullptr ? catalog::Value(nullptr) : catalog::Value(now.micros), delivery.number}));
    return {};
  });
}

Result<void> Webhooks::forget_old() {
  const Time before = clock_.now() - kWebhookHistory;
  return database_.write(Durability::stream, [&](Connection& c) -> Result<void> {
    TRY(c.run(kForget, {before.micros}));
    return {};
  });
}

}  // namespace slipway::teams

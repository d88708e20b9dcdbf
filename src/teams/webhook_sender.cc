#include "teams/webhook_sender.h"

#include <algorithm>

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "http/address.h"
#include "http/http.h"

namespace slipway::teams {
namespace {

constexpr Duration kForgetInterval = std::chrono::hours(1);

std::optional<Duration> retry_after(const http::Headers& headers) {
  const auto seconds = parse_i64(headers.get("Retry-After"));
  if (!seconds || *seconds < 0 || *seconds > 1'000'000) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

Result<http::ClientResponse> post(const WebhookTarget& target, std::string_view delivery_id, std::string_view body,
                                  Time now, bool private_allowed) {
  TRY(check_webhook_url(target.url, private_allowed));
  const http::CutUrl url = TRY(http::cut_url(target.url));
  http::ClientOptions options;
  options.connect_timeout = kWebhookConnectTimeout;
  options.read_timeout = kWebhookAnswerTimeout;
  options.answer_timeout = kWebhookAnswerTimeout;
  options.answer_bytes_max = kWebhookAnswerBytesMax;
  options.public_addresses_only = !private_allowed;
  const std::int64_t timestamp_s = now.micros / 1'000'000;
  http::Headers headers;
  headers.add("X-MLflow-Delivery-Id", std::string(delivery_id)).add("X-MLflow-Timestamp", std::to_string(timestamp_s));
  if (!target.secret.empty())
    headers.add("X-MLflow-Signature", webhook_signature(target.secret, delivery_id, timestamp_s, body));
  auto client = TRY(http::Client::open(url.server, options));
  return client.request(http::Method::post, url.target, std::string(body), "application/json", headers);
}

/// Whether another try could end otherwise.
bool is_final(ErrorCode code) {
  return code == ErrorCode::permission_denied || code == ErrorCode::invalid_argument || code == ErrorCode::data_loss ||
         code == ErrorCode::not_found || code == ErrorCode::too_large;
}

}  // namespace

WebhookAnswer send_webhook(const WebhookTarget& target, std::string_view delivery_id, std::string_view body, Time now,
                           bool private_allowed) {
  WebhookAnswer answer;
  auto response = post(target, delivery_id, body, now, private_allowed);
  if (!response.ok()) {
    answer.message = response.error().message;
    answer.is_refused = is_final(response.error().code);
    return answer;
  }
  answer.status = response->status;
  answer.body = clean_utf8(response->body);
  answer.retry_after = retry_after(response->headers);
  if (response->status >= 300) answer.message = "the receiver answered " + std::to_string(response->status);
  if (response->status >= 300 && response->status < 400) answer.message += "; redirects are not followed";
  return answer;
}

WebhookSender::WebhookSender(catalog::Database& database, Webhooks& webhooks, const Clock& clock, Counters& counters,
                             bool background)
    : webhooks_(webhooks),
      clock_(clock),
      is_shared_(database.is_postgres()),
      delivered_(counters.counter("webhook_deliveries_total", "Deliveries that a receiver took")),
      retried_(counters.counter("webhook_retries_total", "Deliveries that will be tried again")),
      failed_(counters.counter("webhook_failures_total", "Deliveries that were given up")),
      lease_(database, "webhooks", kWebhooksLease),
      pool_("webhook-send", kWebhookSenders, static_cast<size_t>(kWebhooksDueMax), counters) {
  webhooks_.on_noted([this] { wake(); });
  if (background) thread_ = Thread("webhooks", [this] { loop(); });
}

WebhookSender::~WebhookSender() {
  state_.lock()->stopping = true;
  changed_.notify_all();
  thread_.join();
}

void WebhookSender::wake() {
  state_.lock()->woken = true;
  changed_.notify_all();
}

void WebhookSender::loop() {
  Time forgotten_at{0};
  while (true) {
    const bool is_mine = !is_shared_ || lease_.hold(clock_.now());
    const Duration pause = is_mine ? std::min(tick(), kWebhookInterval) : kWebhookInterval;
    if (is_mine && clock_.steady() - forgotten_at > kForgetInterval) {
      forgotten_at = clock_.steady();
      const auto forgotten = webhooks_.forget_old();
      if (!forgotten.ok())
        log_warning("teams", "old deliveries of webhooks could not be forgotten",
                    {{"error", forgotten.error().message}});
    }
    auto state = state_.lock();
    state.wait_until(changed_, std::chrono::steady_clock::now() + pause,
                     [&] { return state->stopping || state->woken; });
    if (state->stopping) return;
    state->woken = false;
  }
}

Duration WebhookSender::tick() {
  // From before the outbox is read: what ends meanwhile still looks due in what was read.
  const std::set<std::string> busy = state_.lock()->sending;
  const auto due = webhooks_.due(clock_.now(), kWebhooksDueMax);
  if (!due.ok()) {
    log_warning("teams", "the outbox of webhooks could not be read", {{"error", due.error().message}});
    return kWebhookInterval;
  }
  for (const WebhookDelivery& delivery : *due) {
    {
      auto state = state_.lock();
      if (state->stopping || busy.contains(delivery.webhook_id)) continue;
      state->sending.insert(delivery.webhook_id);
    }
    if (!pool_.submit([this, delivery] { send(delivery); })) state_.lock()->sending.erase(delivery.webhook_id);
  }
  const auto next = webhooks_.next_due();
  const Duration pause = next.ok() && *next ? **next - clock_.now() : kWebhookInterval;
  return pause > Duration(0) ? pause : kWebhookInterval;  // what is due is being sent, and its end wakes us
}

WebhookAnswer WebhookSender::try_once(const WebhookDelivery& delivery) {
  const auto target = webhooks_.target(WebhookId(delivery.webhook_id));
  if (target.ok())
    return send_webhook(*target, delivery.id, delivery.body, clock_.now(), webhooks_.options().private_allowed);
  WebhookAnswer answer;
  answer.message = target.error().message;
  answer.is_refused = is_final(target.error().code);
  return answer;
}

void WebhookSender::send(const WebhookDelivery& delivery) {
  if (state_.lock()->stopping) return;  // it stays in the outbox
  const WebhookAnswer answer = try_once(delivery);
  const WebhookDecision decision =
      decide_webhook({delivery.tries + 1, answer.status, answer.is_refused, answer.retry_after});
  const auto written = webhooks_.tried(delivery, decision, answer.status, answer.message);
  if (std::holds_alternative<WebhookDelivered>(decision)) {
    delivered_.add();
  } else if (std::holds_alternative<WebhookRetry>(decision)) {
    retried_.add();
  } else {
    failed_.add();
    log_warning("teams", "a webhook's delivery was given up",
                {{"webhook", delivery.webhook_id}, {"event", delivery.event}, {"why", answer.message}});
  }
  if (!written.ok())
    log_warning("teams", "how a webhook's delivery went could not be written; it will be sent again",
                {{"webhook", delivery.webhook_id}, {"error", written.error().message}});
  {
    auto state = state_.lock();
    state->sending.erase(delivery.webhook_id);
    state->woken = written.ok();  // without the database there is nothing to look for at once
  }
  changed_.notify_all();
}

void WebhookSender::settle() {
  auto state = state_.lock();
  state.wait(changed_, [&] { return state->sending.empty(); });
}

Result<WebhookAnswer> WebhookSender::test(const ProjectId& project, const WebhookId& id, std::string_view event) {
  const Webhook webhook = TRY(webhooks_.get(project, id));
  const std::string tested(event.empty() ? std::string_view(webhook.events.front()) : event);
  if (!is_webhook_event(tested))
    return Error{ErrorCode::invalid_argument, "'" + clean_utf8(tested, 100) + "' is no event of a webhook"};
  const WebhookTarget target = TRY(webhooks_.target(id));
  const Time now = clock_.now();
  return send_webhook(target, new_id_text(clock_), webhook_body(tested, now, webhook_example(tested)), now,
                      webhooks_.options().private_allowed);
}

}  // namespace slipway::teams

#include "api/events_hub.h"

#include "base/json.h"

namespace slipway::api {
namespace {

constexpr Duration kKeepAlive = std::chrono::seconds(15);

std::string_view type_name(EventKind kind) {
  switch (kind) {
    case EventKind::run_changed: return "run_changed";
    case EventKind::metrics_changed: return "metrics_changed";
    case EventKind::log_changed: return "log_changed";
    case EventKind::dataset_changed: return "dataset_changed";
    case EventKind::model_changed: return "model_changed";
    case EventKind::deployment_changed: return "deployment_changed";
    case EventKind::evaluation_changed: return "evaluation_changed";
    case EventKind::finding_changed: return "finding_changed";
    case EventKind::case_changed: return "case_changed";
    case EventKind::pipeline_run_changed: return "pipeline_run_changed";
    case EventKind::artifacts_changed: return "artifacts_changed";
    case EventKind::report_changed: return "report_changed";
  }
  return "changed";
}

/// Whether it tells of something that a run has.
bool is_of_run(EventKind kind) {
  return kind == EventKind::metrics_changed || kind == EventKind::log_changed || kind == EventKind::artifacts_changed;
}

}  // namespace

std::string render(const Event& event) {
  JsonWriter json;
  json.begin_object().member("type", type_name(event.kind)).member("id", event.subject);
  if (is_of_run(event.kind)) json.member("run_id", event.subject);
  json.end_object();
  return json.take();
}

EventsHub::EventsHub(Counters& counters)
    : sent_(counters.counter("events_sent_total", "Events sent to those who watch")),
      dropped_(counters.counter("events_dropped_total", "Events that a slow watcher did not get")),
      watching_(counters.gauge("events_watching", "Open event streams")),
      state_(std::make_shared<Guarded<State>>()),
      thread_("events", [this] { keep_alive(); }) {}

EventsHub::~EventsHub() {
  close();
  thread_.join();
}

void EventsHub::close() {
  std::unordered_map<std::uint64_t, Subscriber> ended;
  {
    auto state = state_->lock();
    state->closed = true;
    ended.swap(state->subscribers);
  }
  changed_.notify_all();
  watching_.set(0);
}

void EventsHub::emit(const Event& event) { send("data: " + render(event) + "\n\n", &event.project); }

void EventsHub::send(const std::string& text, const ProjectId* project) {
  std::vector<std::shared_ptr<http::BodyWriter>> writers;
  {
    auto state = state_->lock();
    for (const auto& [number, subscriber] : state->subscribers) {
      if (!project || subscriber.project == *project) writers.push_back(subscriber.writer);
    }
  }
  // Outside the lock: a writer that finds its client gone calls back.
  for (const auto& writer : writers) (writer->try_write(text) ? sent_ : dropped_).add();
}

Result<void> EventsHub::subscribe(const ProjectId& project, const http::Responder& responder) {
  {
    auto state = state_->lock();
    if (state->closed) return Error{ErrorCode::unavailable, "the server is stopping"};
    if (state->subscribers.size() >= kEventSubscribersMax) {
      return Error{ErrorCode::busy, std::to_string(kEventSubscribersMax) +
                                        " event streams are open already; close one or try again later"};
    }
  }
  http::Response head;
  head.compressible = false;
  head.headers.set("Content-Type", "text/event-stream").set("Cache-Control", "no-store").set("X-Accel-Buffering", "no");
  const auto writer = responder.stream(std::move(head));
  writer->try_write("retry: 2000\n\n");
  std::uint64_t number = 0;
  {
    auto state = state_->lock();
    if (state->closed) return {};
    number = state->next++;
    state->subscribers.emplace(number, Subscriber{project, writer});
    watching_.set(static_cast<std::int64_t>(state->subscribers.size()));
  }
  writer->on_client_gone([shared = state_, &watching = watching_, number] {
    std::shared_ptr<http::BodyWriter> ended;
    auto state = shared->lock();
    const auto found = state->subscribers.find(number);
    if (found == state->subscribers.end()) return;
    ended = std::move(found->second.writer);
    state->subscribers.erase(found);
    watching.set(static_cast<std::int64_t>(state->subscribers.size()));
  });
  return {};
}

void EventsHub::keep_alive() {
  while (true) {
    {
      auto state = state_->lock();
      if (state.wait_until(changed_, std::chrono::steady_clock::now() + kKeepAlive, [&] { return state->closed; }))
        return;
    }
    send(": still here\n\n", nullptr);
    std::vector<std::shared_ptr<http::BodyWriter>> gone;
    auto state = state_->lock();
    for (auto at = state->subscribers.begin(); at != state->subscribers.end();) {
      if (!at->second.writer->client_gone()) {
        ++at;
        continue;
      }
      gone.push_back(std::move(at->second.writer));
      at = state->subscribers.erase(at);
    }
  }
}

}  // namespace slipway::api

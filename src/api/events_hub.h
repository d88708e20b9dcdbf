// Where events of all rooms meet the people who watch: each subscriber has a small queue of its own, and what does not
// fit is dropped and counted. A subscriber only learns that something changed, so a lost event costs a late refresh.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/counters.h"
#include "base/guarded.h"
#include "base/thread.h"
#include "domain/events.h"
#include "http/http.h"

namespace slipway::api {

inline constexpr size_t kEventSubscribersMax = 1'000;

/// The wire form of an event: {"type":"run_changed","id":…}; events of what a run has say run_id too.
std::string render(const Event& event);

/// Thread-safe; emit() never blocks. Thread: `events`, which only sends a comment now and then, so that dead
/// connections are noticed.
class EventsHub : public EventSink {
 public:
  explicit EventsHub(Counters& counters);
  ~EventsHub() override;

  void emit(const Event& event) override;
  /// Sends the project's events to `responder` as Server-Sent Events until the client goes away. busy when too many
  /// watch.
  Result<void> subscribe(const ProjectId& project, const http::Responder& responder);
  /// Ends all streams: the server stops.
  void close();

 private:
  struct Subscriber {
    ProjectId project;
    std::shared_ptr<http::BodyWriter> writer;
  };
  struct State {
    std::uint64_t next = 1;
    bool closed = false;
    std::unordered_map<std::uint64_t, Subscriber> subscribers;
  };
  void send(const std::string& text, const ProjectId* project);
  void keep_alive();

  Counter& sent_;
  Counter& dropped_;
  Gauge& watching_;
  std::condition_variable changed_;
  std::shared_ptr<Guarded<State>> state_;  // shared with the callbacks of connections that may outlive the hub
  Thread thread_;
};

}  // namespace slipway::api

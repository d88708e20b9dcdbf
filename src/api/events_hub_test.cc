#include "api/events_hub.h"

#include <gtest/gtest.h>

#include <thread>

namespace slipway::api {
namespace {

TEST(EventsHub, an_event_reaches_those_who_watch_its_project_and_nobody_else) {
  Counters counters;
  ThreadPool pool("blocking", 2, 16, counters);
  EventsHub hub(counters);
  http::Router router;
  router.add(http::Method::get, "/events",
             [&hub](http::Request& request, http::Responder responder) {
               ASSERT_TRUE(hub.subscribe(ProjectId(request.query_value("project").value_or("")), responder).ok());
             },
             {.where = http::Where::on_loop});
  auto server = http::Server::start({}, router, pool, counters);
  ASSERT_TRUE(server.ok()) << server.error().message;
  auto client = http::Client::open("http://127.0.0.1:" + std::to_string((*server)->port()));
  ASSERT_TRUE(client.ok());
  std::thread emits([&] {
    while (counters.gauge("events_watching", "").value() == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    hub.emit({EventKind::run_changed, ProjectId("other"), "r0"});
    hub.emit({EventKind::metrics_changed, ProjectId("mine"), "r1"});
  });
  std::string seen;
  const auto answer = client->download("/events?project=mine", [&](std::string_view bytes) {
    seen += bytes;
    return seen.find("r1") == std::string::npos;
  });
  emits.join();
  EXPECT_NE(seen.find(R"(data: {"type":"metrics_changed","id":"r1","run_id":"r1"})"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("r0"), std::string::npos);
  hub.close();
  (*server)->stop(std::chrono::milliseconds(100));
}

TEST(EventsHub, an_event_of_what_a_run_has_names_the_run) {
  const ProjectId mine("mine");
  EXPECT_EQ(render({EventKind::artifacts_changed, mine, "r1"}),
            R"({"type":"artifacts_changed","id":"r1","run_id":"r1"})");
  EXPECT_EQ(render({EventKind::report_changed, mine, "p1"}), R"({"type":"report_changed","id":"p1"})");
}

}  // namespace
}  // namespace slipway::api

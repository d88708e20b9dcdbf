#include "http/wrap.h"

#include <gtest/gtest.h>

#include "http/testing.h"

namespace slipway::http {
namespace {

using testing::TestServer;

Handler says(std::string text) {
  return [text](Request&, const Responder& responder) { responder.send(Response::text(text)); };
}

TEST(Wrap, stands_around_one_route_and_sees_its_answer_first) {
  TestServer server;
  server.router.add(Method::post, "/runs/{run}", says("made"));
  server.router.add(Method::get, "/runs/{run}", says("read"));
  server.router.add(Method::post, "/runs/{run}/files/{path...}", says("file"));
  wrap(server.router, Method::post, "/runs/{run}", [](Handler inner) -> Handler {
    return [inner](Request& request, const Responder& responder) {
      Response answer = answer_of(inner, request);
      answer.body += " in " + std::string(request.parameter("run"));
      responder.send(std::move(answer));
    };
  });
  testing::RawClient client(server.start());
  ASSERT_TRUE(client.is_connected()) << server.problem;
  EXPECT_EQ(client.ask(testing::post("/runs/r1", "body")).body, "made in r1");
  EXPECT_EQ(client.ask(testing::get("/runs/r1")).body, "read");
  EXPECT_EQ(client.ask(testing::post("/runs/r1/files/a/b", "")).body, "file");
}

TEST(Wrap, an_answer_that_is_not_whole_when_the_handler_returns_is_a_500) {
  Request request;
  const auto streams = [](Request&, const Responder& responder) { responder.stream({})->try_write("piece"); };
  const auto nothing = [](Request&, const Responder&) {};
  std::optional<Responder> later;
  const auto late = [&later](Request&, const Responder& responder) { later = responder; };
  for (const Handler& handler : {Handler(streams), Handler(nothing), Handler(late)})
    EXPECT_EQ(answer_of(handler, request).status, 500);
  later->send(Response::text("nobody listens any more"));
}

TEST(WrapDeathTest, a_route_that_does_not_exist_is_a_mistake_of_ours) {
  Router router;
  router.add(Method::post, "/runs", says("made"));
  EXPECT_DEATH(wrap(router, Method::post, "/run", [](Handler inner) { return inner; }),
               "there is no route POST /run to wrap");
}

}  // namespace
}  // namespace slipway::http

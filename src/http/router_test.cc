#include "http/router_impl.h"

#include <gtest/gtest.h>

namespace slipway::http {
namespace {

const Handler kNothing = [](Request&, Responder) {};

std::string found(const Router& router, Method method, std::string_view path) {
  const Match match = router.impl().find(method, path);
  if (!match.route) return match.allowed.empty() ? "404" : "405 " + match.render_allowed();
  std::string text = match.route->pattern;
  for (std::string_view value : match.values) text += " " + std::string(value);
  return text;
}

TEST(Router, literals_win_over_parts_and_parts_over_the_rest) {
  Router router;
  for (const char* pattern :
       {"/", "/runs", "/runs/{run}", "/runs/columns", "/runs/{run}/files/{path...}", "/{rest...}"})
    router.add(Method::get, pattern, kNothing);
  EXPECT_EQ(found(router, Method::get, "/"), "/");
  EXPECT_EQ(found(router, Method::get, "/runs"), "/runs");
  EXPECT_EQ(found(router, Method::get, "/runs/columns"), "/runs/columns");
  EXPECT_EQ(found(router, Method::get, "/runs/r1"), "/runs/{run} r1");
  EXPECT_EQ(found(router, Method::get, "/runs/r1/files/a/b.txt"), "/runs/{run}/files/{path...} r1 a/b.txt");
  EXPECT_EQ(found(router, Method::get, "/runs/r1/files/"), "/runs/{run}/files/{path...} r1 ");
  EXPECT_EQ(found(router, Method::get, "/runs/r1/other"), "/{rest...} runs/r1/other");
  EXPECT_EQ(found(router, Method::get, "/runs/columns/files/x"), "/runs/{run}/files/{path...} columns x");
}

TEST(Router, another_method_is_405_with_all_that_are_allowed) {
  Router router;
  router.add(Method::get, "/runs/{run}", kNothing);
  router.add(Method::del, "/runs/{run}", kNothing);
  router.add(Method::post, "/runs/search", kNothing);
  EXPECT_EQ(found(router, Method::put, "/runs/r1"), "405 GET, HEAD, DELETE");
  EXPECT_EQ(found(router, Method::put, "/runs/search"), "405 GET, HEAD, POST, DELETE");
  EXPECT_EQ(found(router, Method::get, "/runs/search"), "/runs/{run} search");
  EXPECT_EQ(found(router, Method::get, "/jobs"), "404");
}

TEST(Router, head_is_answered_by_the_route_of_get) {
  Router router;
  router.add(Method::get, "/healthz", kNothing);
  EXPECT_EQ(found(router, Method::head, "/healthz"), "/healthz");
}

TEST(Router, an_empty_part_is_no_part) {
  Router router;
  router.add(Method::get, "/runs/{run}", kNothing);
  EXPECT_EQ(found(router, Method::get, "/runs/"), "404");
  EXPECT_EQ(found(router, Method::get, "//"), "404");
}

TEST(Router, lists_its_routes_in_order) {
  Router router;
  router.add(Method::post, "/b", kNothing);
  router.add(Method::get, "/b", kNothing);
  router.add(Method::get, "/a/{x}", kNothing);
  const std::vector<std::pair<Method, std::string>> wanted = {
      {Method::get, "/a/{x}"}, {Method::get, "/b"}, {Method::post, "/b"}};
  EXPECT_EQ(router.routes(), wanted);
}

TEST(RouterDeathTest, the_same_route_twice_is_our_bug) {
  Router router;
  router.add(Method::get, "/a", kNothing);
  EXPECT_DEATH(router.add(Method::get, "/a", kNothing), "added twice");
}

}  // namespace
}  // namespace slipway::http

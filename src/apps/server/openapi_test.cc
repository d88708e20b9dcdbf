// The description of the API against the routes of the real server, in both directions.
#include "api/openapi.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "parts.h"

namespace slipway::server {
namespace {

/// "GET /api/v1/runs/{run}"; a last part {path...} is {path}, because OpenAPI has no word for it.
std::set<std::string> served_routes(const http::Router& router) {
  std::set<std::string> routes;
  for (auto [method, pattern] : router.routes()) {
    if (!pattern.starts_with("/api/v1/")) continue;
    if (pattern.ends_with("...}")) pattern.replace(pattern.size() - 4, 4, "}");
    routes.insert(std::string(http::name(method)) + " " + pattern);
  }
  return routes;
}

std::set<std::string> described_routes() {
  std::set<std::string> routes;
  const Json document = Json::parse(api::openapi_document()).value();
  for (const auto& [path, item] : document["paths"].object()) {
    for (const auto& [method, operation] : item.object()) {
      if (method == "parameters") continue;
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
      routes.insert(upper + " " + path);
    }
  }
  return routes;
}

std::string without(const std::set<std::string>& routes, const std::set<std::string>& others) {
  std::vector<std::string> left;
  for (const std::string& route : routes) {
    if (!others.contains(route)) left.push_back(route);
  }
  return join(left, "\n");
}

TEST(Openapi, describes_every_route_of_the_server_and_no_other) {
  TemporaryDirectory folder;
  Settings settings;
  settings.data = folder.path() / "data";
  settings.port = 0;
  auto parts = assemble(settings);
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  const auto served = served_routes(parts->router), described = described_routes();
  EXPECT_EQ(without(served, described), "") << "served, but not described; describe them in src/api/openapi/";
  EXPECT_EQ(without(described, served), "") << "described in src/api/openapi/, but not served";
  EXPECT_GT(served.size(), 80u);
  parts->runs_loop->stop();
  parts->events->close();
  parts->log_followers->close();
  parts->http->stop(std::chrono::seconds(1));
}

}  // namespace
}  // namespace slipway::server

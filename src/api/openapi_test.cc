#include "api/openapi.h"

#include <gtest/gtest.h>

#include <set>

#include "api/native/creates.h"
#include "base/json.h"

namespace slipway::api {
namespace {

Json document() { return Json::parse(openapi_document()).value(); }

bool takes_a_key(const Json& operation) {
  for (const Json& parameter : operation["parameters"].array()) {
    if (parameter["$ref"].string() == "#/components/parameters/idempotency_key") return true;
  }
  return false;
}

TEST(Openapi, says_of_exactly_those_creates_that_honour_it_that_they_take_an_idempotency_key) {
  std::set<std::string> described;
  const Json all = document();
  for (const auto& [path, item] : all["paths"].object()) {
    for (const auto& [method, operation] : item.object()) {
      if (method == "parameters" || !takes_a_key(operation)) continue;
      EXPECT_EQ(method, "post") << path;
      described.insert(path);
    }
  }
  const auto honoured = create_patterns();
  EXPECT_EQ(described, std::set<std::string>(honoured.begin(), honoured.end()));
}

TEST(Openapi, every_post_that_makes_something_takes_a_key_unless_doing_it_twice_makes_nothing_more) {
  // Named by their bytes; and of backups there is one at a time.
  const std::set<std::string> without = {"/api/v1/blobs", "/api/v1/blobs/batch", "/api/v1/trees", "/api/v1/snapshots",
                                         "/api/v1/backups"};
  const Json all = document();
  for (const auto& [path, item] : all["paths"].object()) {
    if (item["post"]["responses"]["201"].is_null()) continue;
    EXPECT_NE(takes_a_key(item["post"]), without.contains(path))
        << path << ": add it to src/api/native/creates.cc and describe its Idempotency-Key";
  }
}

TEST(Openapi, every_operation_has_a_name_of_its_own_and_says_what_it_is_for) {
  std::set<std::string> names;
  const Json all = document();
  for (const auto& [path, item] : all["paths"].object()) {
    for (const auto& [method, operation] : item.object()) {
      if (method == "parameters") continue;
      EXPECT_TRUE(names.insert(operation["operationId"].string()).second)
          << method << " " << path << " has the operationId of another";
      EXPECT_FALSE(operation["summary"].string().empty()) << method << " " << path << " has no summary";
    }
  }
  EXPECT_GT(names.size(), 80u);
}

}  // namespace
}  // namespace slipway::api

#include "api/disk_watch.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::api {
namespace {

using http::Method;

TEST(DiskWatch, a_disk_is_low_below_the_mark_and_until_clearly_above_it_again) {
  EXPECT_FALSE(is_low(false, 160, 160));
  EXPECT_TRUE(is_low(false, 159, 160));
  EXPECT_TRUE(is_low(true, 160, 160));
  EXPECT_TRUE(is_low(true, 169, 160));
  EXPECT_FALSE(is_low(true, 170, 160));
  EXPECT_FALSE(is_low(true, 0, 0)) << "a mark of nothing is none";
}

TEST(DiskWatch, what_adds_something_is_told_from_what_reads_removes_or_ends) {
  for (const char* path :
       {"/api/2.0/mlflow/runs/create", "/api/2.0/mlflow/runs/log-batch", "/api/v1/blobs", "/api/v1/blobs/batch",
        "/api/v1/runs", "/api/v1/datasets/a/commits", "/api/v1/attempts/a/log", "/api/v1/feedback"}) {
    EXPECT_TRUE(adds(Method::post, path)) << path;
  }
  EXPECT_TRUE(adds(Method::put, "/api/v1/blobs/abc"));
  EXPECT_TRUE(adds(Method::patch, "/api/v1/runs/abc"));
  for (const char* path :
       {"/api/2.0/mlflow/runs/search", "/ajax-api/2.0/mlflow/experiments/search",
        "/api/2.0/mlflow/registered-models/get-latest-versions", "/api/v1/blobs/read", "/api/v1/gc", "/api/v1/backups",
        "/v2/models/digits/infer", "/api/v1/attempts/a/heartbeat", "/api/v1/attempts/a/end", "/api/v1/runs/a/stop",
        "/api/2.0/mlflow/runs/delete", "/api/v1/login", "/api/v1/media/items"}) {
    EXPECT_FALSE(adds(Method::post, path)) << path;
  }
  EXPECT_TRUE(adds(Method::post, "/api/v1/deployments"));
  EXPECT_FALSE(adds(Method::patch, "/api/v1/deployments/digits")) << "what answers can be stopped";
  EXPECT_FALSE(adds(Method::put, "/api/v1/models/digits/aliases/production")) << "and led back to an earlier version";
  EXPECT_FALSE(adds(Method::post, "/api/2.0/mlflow/registered-models/alias"));
  EXPECT_FALSE(adds(Method::del, "/api/v1/datasets/a"));
  EXPECT_FALSE(adds(Method::get, "/api/v1/runs"));
}

TEST(DiskWatch, a_disk_below_its_mark_is_found_low_at_once_and_counted) {
  const TemporaryDirectory folder;
  Counters counters;
  DiskWatch low(folder.path(), UINT64_MAX, counters);
  EXPECT_TRUE(low.state().low);
  EXPECT_EQ(counters.gauge("disk_low", "").value(), 1);
  EXPECT_GT(counters.gauge("disk_free_bytes", "").value(), 0);
  http::Request request;
  request.method = Method::post;
  request.path = "/api/v1/experiments";
  const auto gate = make_low_disk_gate(low);
  const auto refused = gate(request);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  EXPECT_FALSE(refused->headers.get("Retry-After").empty());
  request.method = Method::get;
  EXPECT_FALSE(gate(request).has_value());
}

}  // namespace
}  // namespace slipway::api

// Any body: neither reader of log-batch fails otherwise than by saying so, and what the fast one takes, the careful one
// takes.
#include <cstdint>

#include "api/mlflow/log_requests.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  static const slipway::tracking::MetricNames names;
  slipway::http::Request request;
  request.method = slipway::http::Method::post;
  request.body.assign(reinterpret_cast<const char*>(data), size);
  const auto fast = slipway::api::mlflow::read_batch_fast(request.body, slipway::ProjectId("p"), names);
  const auto careful = slipway::api::mlflow::read_batch_carefully(request, names);
  if (fast) {
    CHECK(careful.ok(), "the fast reader took a batch that the careful one refuses");
    CHECK(fast->points.size() == careful->points.size() && fast->run == careful->run,
          "the readers read different things");
  }
  (void)slipway::api::mlflow::read_metric_fast(request.body, slipway::ProjectId("p"), names);
  (void)slipway::api::mlflow::read_metric_carefully(request, names);
  return 0;
}

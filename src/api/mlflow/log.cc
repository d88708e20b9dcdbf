// log-metric and log-batch: the endpoints that training loops wait for. They run on the event loop and never block.
#include "api/api.h"
#include "api/mlflow/endpoint.h"
#include "api/mlflow/log_requests.h"

namespace slipway::api::mlflow {
namespace {

using tracking::LogRequest;
using tracking::MetricLog;
using tracking::MetricNames;

constexpr std::uint64_t kBodyBytesMax = 8 << 20;

using Careful = Result<LogRequest> (*)(const http::Request&, const MetricNames&);
using Fast = std::optional<LogRequest> (*)(std::string&, const ProjectId&, const MetricNames&);

void log_with(MetricLog& log, http::Request& request, const http::Responder& responder, Fast fast, Careful careful) {
  auto read = fast(request.body, project_of(request), log.names());
  if (!read) {
    auto slow = careful(request, log.names());
    if (!slow.ok()) return responder.send(mlflow_error(slow.error()));
    read = std::move(*slow);
  }
  log.log(std::move(*read), [responder](const Result<void>& kept) {
    responder.send(kept.ok() ? http::Response::json("{}") : mlflow_error(kept.error()));
  });
}

}  // namespace

void add_logging(http::Router& router, const Rooms& rooms, const std::string& prefix) {
  const http::RouteOptions options{.where = http::Where::on_loop, .body_bytes_max = kBodyBytesMax};
  MetricLog& log = rooms.tracking.log();
  router.add(
      http::Method::post, prefix + "mlflow/runs/log-metric",
      [&log](http::Request& request, http::Responder responder) {
        log_with(log, request, responder, read_metric_fast, read_metric_carefully);
      },
      options);
  router.add(
      http::Method::post, prefix + "mlflow/runs/log-batch",
      [&log](http::Request& request, http::Responder responder) {
        log_with(log, request, responder, read_batch_fast, read_batch_carefully);
      },
      options);
}

std::vector<EndpointFact> logging_facts() {
  return {{"POST", "mlflow/runs/log-metric", {"run_id", "key", "value", "timestamp"}, true},
          {"POST", "mlflow/runs/log-batch", {"run_id"}, true}};
}

}  // namespace slipway::api::mlflow

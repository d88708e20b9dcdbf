// The fast readers of log-metric and log-batch. Private to this folder.
#pragma once

#include <optional>
#include <string>

#include "domain/ids.h"
#include "tracking/metric_log.h"

namespace slipway::api::mlflow {

/// What the body says, or nullopt when it holds anything that is not plainly right. `body` may grow its capacity (the
/// parser reads a little past the end), its text stays.
std::optional<tracking::LogRequest> read_batch_fast(std::string& body, const ProjectId& project, const tracking::MetricLog& log);
std::optional<tracking::LogRequest> read_metric_fast(std::string& body, const ProjectId& project, const tracking::MetricLog& log);

}  // namespace slipway::api::mlflow

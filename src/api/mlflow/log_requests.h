// Reading log-metric and log-batch. Two readers: the fast one walks the body once and puts numbers straight into
// points; it takes only what clients send every day, and gives up at anything else. The careful one then reads the same
// body again. What the fast one takes, the careful one takes as the same. Private to this folder.
#pragma once

#include <optional>
#include <string>

#include "domain/ids.h"
#include "http/http.h"
#include "tracking/metric_log.h"

namespace slipway::api::mlflow {

/// What the body says, or nullopt when it holds anything that is not plainly right. `body` may grow its capacity (the
/// parser reads a little past the end), its text stays.
std::optional<tracking::LogRequest> read_batch_fast(std::string& body, const ProjectId& project,
                                                    const tracking::MetricNames& names);
std::optional<tracking::LogRequest> read_metric_fast(std::string& body, const ProjectId& project,
                                                     const tracking::MetricNames& names);

Result<tracking::LogRequest> read_batch_carefully(const http::Request& request, const tracking::MetricNames& names);
Result<tracking::LogRequest> read_metric_carefully(const http::Request& request, const tracking::MetricNames& names);

}  // namespace slipway::api::mlflow

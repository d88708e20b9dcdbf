// /api/v1/runs: the record of runs, whoever executes them. What only runs that Slipway executes have (attempts, log,
// snapshot) is added by its own handlers.
#pragma once

#include <functional>

#include "base/json.h"
#include "http/http.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// What other rooms know of a run. Empty functions: nobody knows more.
struct RunExtras {
  /// Adds members to a run's JSON (attempt_count, cost, queue_message, …), for lists and details.
  std::function<void(const tracking::Run& run, Json& json)> enrich;
  /// A document recorded with the run ("environment", "machine"), or its "inputs" as they were pinned, or null.
  std::function<Json(const ProjectId& project, const RunId& run, std::string_view kind)> document;
  /// A member's name by id; empty when unknown.
  std::function<std::string(const MemberId& member)> member_name;
};

/// `tracking`, and what the functions refer to, outlive the router's use.
void add_runs(http::Router& router, tracking::Tracking& tracking, RunExtras extras = {});

/// What `columns=` of a request asks for; everything when it is absent or "*".
Result<tracking::RunParts> run_parts_of(const http::Request& request);

/// A run as every list and detail shows it (contract: Run).
Json run_json(const tracking::Run& run, const RunExtras& extras, size_t keys_max = SIZE_MAX);
/// {last, step, at, min, max, count}; NaN and infinities as text.
Json metric_json(const tracking::MetricSummary& metric);

}  // namespace slipway::api

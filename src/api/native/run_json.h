// Runs as JSON: one as a tree that others may add to, a page of them as text.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "tracking/tracking.h"

namespace slipway::api {

/// What other rooms know of a run. Empty functions: nobody knows more.
struct RunExtras {
  /// Adds members to a run's JSON, or sets attempt_count, cost and queue_message, for lists and details.
  std::function<void(const tracking::Run& run, Json& json)> enrich;
  /// A document recorded with the run ("environment", "machine"), or its "inputs" as they were pinned, or null.
  std::function<Json(const ProjectId& project, const RunId& run, std::string_view kind)> document;
  /// A member's name by id; empty when unknown.
  std::function<std::string(const MemberId& member)> member_name;
};

/// A run as every list and detail shows it (contract: Run), with at most `keys_max` parameters, tags and metrics each.
Json run_json(const tracking::Run& run, const RunExtras& extras, size_t keys_max = SIZE_MAX);
/// {last, step, at, min, max, count}; NaN and infinities as text.
Json metric_json(const tracking::MetricSummary& metric);

/// {runs, next_page_token, total} with the same of each run. A page is thousands of numbers: none becomes a tree.
std::string render_page(const tracking::RunPage& page, const RunExtras& extras, size_t keys_max = SIZE_MAX);

}  // namespace slipway::api

// A filter on traces, in the words of MLflow's search_traces, as SQL on `traces t` and conditions on spans. Private to
// the room.
//
//   [trace.]timestamp_ms, execution_time_ms, end_time_ms (numbers, milliseconds), status, name, request_id,
//   client_request_id, run_id, prompt, text; tags.<key>, metadata.<key>, span.<part> (span_filter.h),
//   feedback.<name>, expectation.<name>, issue.id
#pragma once

#include "tracking/search_sql.h"
#include "tracking/span_filter.h"
#include "tracking/trace_patterns.h"
#include "tracking/traces.h"

namespace slipway::tracking {

struct TraceFilter {
  Sql where;  // each condition after " AND "
  SpanFilter spans;
  TracePatterns patterns;

  /// Whether traces that pass `where` must be read to know.
  bool looks_inside() const { return spans.looks_inside() || !patterns.empty(); }
};
/// invalid_argument for a name that means nothing here, and for a comparison that it does not take.
Result<TraceFilter> make_trace_filter(const Filter& filter);

/// What looks_inside() asks of one trace that passes `where`; reads only what it needs.
Result<bool> passes_inside(catalog::Connection& connection, const TraceFilter& filter, std::int64_t trace);

/// The traces of these experiments that pass, numbers ascending; looks at `most` of them at most, too_large beyond.
Result<std::vector<std::int64_t>> passing_traces(catalog::Connection& connection, const Sql& scope,
                                                 const TraceFilter& filter, size_t most);

/// "t.project_id = ? AND t.experiment IN (…)"
Result<Sql> trace_scope(catalog::Connection& connection, const ProjectId& project,
                        const std::vector<ExperimentId>& experiments, bool all_experiments);

/// Sort keys for an order; by default the newest first.
Result<std::vector<SortKey>> trace_sort_keys(const std::vector<OrderTerm>& order);

}  // namespace slipway::tracking

// Numbers over many traces: how many, how long, how many tokens, at what cost, how judged; per name, state, model or
// time.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/filter.h"
#include "domain/ids.h"

namespace slipway::tracking {

enum class TraceMetricsOf { traces, spans, assessments };

struct Aggregation {
  enum class Kind { count, sum, average, least, most, percentile } kind = Kind::count;
  double percentile = 0;  // 0 to 100
};

struct TraceMetricsQuery {
  ProjectId project;
  std::vector<ExperimentId> experiments;
  TraceMetricsOf of = TraceMetricsOf::traces;
  std::string metric;  // trace_count, latency, … (docs/tracing.md)
  std::vector<Aggregation> aggregations;
  std::vector<std::string> dimensions;  // trace_name, span_type, …
  Filter filter;  // trace.status, trace.tag.<key>, trace.metadata.<key>, span.name, assessment.name, …
  std::optional<Duration> bucket;  // one row per so long
  std::optional<Time> from, until;
  size_t rows_max = 1000;
};

struct TraceMetricsRow {
  std::optional<Time> bucket;                       // its start
  std::vector<std::string> dimensions;              // as asked
  std::vector<std::optional<double>> aggregations;  // as asked; none where there is no number
};

/// Rows that one request looks at.
inline constexpr size_t kTraceMetricRowsMax = 5'000'000;

/// By bucket, then by dimensions; rows without one of the dimensions are left out. invalid_argument for a metric, an
/// aggregation, a dimension or a filter that does not exist; too_large past kTraceMetricRowsMax. Blocks for the
/// database.
Result<std::vector<TraceMetricsRow>> trace_metrics(catalog::Database& database, const TraceMetricsQuery& query);

}  // namespace slipway::tracking

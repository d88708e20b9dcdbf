#include "tracking/trace_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "base/text.h"
#include "tracking/search_sql.h"
#include "tracking/trace_filter.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Row;

namespace {

constexpr double kMicrosPerMilli = 1000, kNanosPerMilli = 1e6;

/// A metric of a kind of row: where its number stands, and by how much it is divided.
struct Metric {
  std::string_view name, expression;
  double divisor = 1;
  bool only_counts = false;
};
struct Dimension {
  std::string_view name, expression;
};

struct Source {
  std::string_view from, time;  // time in microseconds
  std::span<const Metric> metrics;
  std::span<const Dimension> dimensions;
};

constexpr std::array<Metric, 8> kTraceMetrics{{{"trace_count", "1", 1, true},
                                               {"session_count", "t.session", 1, true},
                                               {"latency", "t.duration", kMicrosPerMilli},
                                               {"input_tokens", "t.input_tokens"},
                                               {"output_tokens", "t.output_tokens"},
                                               {"total_tokens", "t.total_tokens"},
                                               {"cache_read_input_tokens", "t.cache_read_input_tokens"},
                                               {"cache_creation_input_tokens", "t.cache_creation_input_tokens"}}};
constexpr std::array<Metric, 5> kSpanMetrics{{{"span_count", "1", 1, true},
                                              {"latency", "(s.ended_ns - s.started_ns)", kNanosPerMilli},
                                              {"input_cost", "s.input_cost"},
                                              {"output_cost", "s.output_cost"},
                                              {"total_cost", "s.total_cost"}}};
constexpr std::array<Metric, 2> kAssessmentMetrics{
    {{"assessment_count", "1", 1, true}, {"assessment_value", "a.value_number"}}};
constexpr std::array<Dimension, 2> kTraceDimensions{{{"trace_name", "t.name"}, {"trace_status", "t.state"}}};
constexpr std::array<Dimension, 5> kSpanDimensions{{{"span_name", "s.name"},
                                                    {"span_type", "s.type"},
                                                    {"span_status", "s.status"},
                                                    {"span_model_name", "s.model"},
                                                    {"span_model_provider", "s.provider"}}};
constexpr std::array<Dimension, 2> kAssessmentDimensions{
    {{"assessment_name", "a.name"}, {"assessment_value", "a.value"}}};

Source source_of(TraceMetricsOf of) {
  switch (of) {
    case TraceMetricsOf::traces: return {"traces t", "t.started_at", kTraceMetrics, kTraceDimensions};
    case TraceMetricsOf::spans:
      return {"trace_spans s JOIN traces t ON t.number = s.trace", "(s.started_ns / 1000)", kSpanMetrics,
              kSpanDimensions};
    case TraceMetricsOf::assessments: break;
  }
  return {"assessments a JOIN traces t ON t.number = a.trace", "t.started_at", kAssessmentMetrics,
          kAssessmentDimensions};
}

template <typename Named>
Result<const Named*> find(std::span<const Named> known, std::string_view name, std::string_view what) {
  std::vector<std::string> names;
  for (const Named& one : known) {
    if (one.name == name) return &one;
    names.emplace_back(one.name);
  }
  return Error{ErrorCode::invalid_argument,
               fmt::format("{} must be one of {}, got '{}'", what, join(names, ", "), clean_utf8(name, 100))};
}

/// One comparison: of the trace as a search takes it, or of the row itself.
Result<Sql> condition(const FilterComparison& comparison, TraceMetricsOf of) {
  constexpr std::string_view kTag = "trace.tag.", kTrace = "trace.";
  FilterComparison plain = comparison;
  const std::string& key = comparison.key;
  if (key.starts_with(kTag)) {
    plain.entity = FilterEntity::tag;
    plain.key = key.substr(kTag.size());
  } else if (key.starts_with(kTrace)) {
    plain.key = key.substr(kTrace.size());
  } else {
    if (of == TraceMetricsOf::spans && (key == "span.name" || key == "span.type" || key == "span.status")) {
      Sql sql{" AND ", {}};
      return sql.add(TRY(compare_text("s." + key.substr(5), comparison)));
    }
    if (of == TraceMetricsOf::assessments && (key == "assessment.name" || key == "assessment.type")) {
      Sql sql{" AND ", {}};
      return sql.add(TRY(compare_text(key == "assessment.name" ? "a.name" : "a.kind", comparison)));
    }
  }
  TraceFilter filter = TRY(make_trace_filter({{plain}}));
  if (filter.looks_inside())
    return Error{ErrorCode::invalid_argument, "metrics are not filtered by the contents of spans, nor by RLIKE"};
  if (!filter.spans.empty()) filter.where.add(" AND ").add(filter.spans.sql("t.number"));
  return filter.where;
}

/// What one group of rows adds up to.
struct Sums {
  std::int64_t count = 0;
  double total = 0, least = INFINITY, most = -INFINITY;
  std::vector<double> all;          // only where a percentile is asked for
  std::set<std::string> different;  // sessions
};

/// By linear interpolation between the two nearest.
std::optional<double> percentile(std::vector<double>& values, double percent) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - std::floor(at));
}

std::optional<double> aggregate(const Aggregation& aggregation, Sums& sums) {
  using Kind = Aggregation::Kind;
  if (aggregation.kind == Kind::count) return static_cast<double>(sums.count);
  if (sums.count == 0) return std::nullopt;
  switch (aggregation.kind) {
    case Kind::sum: return sums.total;
    case Kind::average: return sums.total / static_cast<double>(sums.count);
    case Kind::least: return sums.least;
    case Kind::most: return sums.most;
    case Kind::percentile: return percentile(sums.all, aggregation.percentile);
    case Kind::count: break;
  }
  return std::nullopt;
}

struct Plan {
  Sql sql;  // columns: time, value, dimensions
  const Metric* metric = nullptr;
  bool counts_sessions = false, keeps_all = false;
};

Result<void> check(const TraceMetricsQuery& query, const Metric& metric) {
  for (const Aggregation& aggregation : query.aggregations) {
    if (metric.only_counts && aggregation.kind != Aggregation::Kind::count)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("{} is only counted; expected the aggregation COUNT", metric.name)};
    if (!(aggregation.percentile >= 0 && aggregation.percentile <= 100))
      return Error{ErrorCode::invalid_argument, "a percentile lies between 0 and 100"};
  }
  if (query.bucket && query.bucket->count() <= 0)
    return Error{ErrorCode::invalid_argument, "time_interval_seconds must be positive"};
  return {};
}

Result<Plan> make_plan(Connection& connection, const TraceMetricsQuery& query) {
  const Source source = source_of(query.of);
  Plan plan;
  plan.metric = TRY(find(source.metrics, query.metric, "metric_name"));
  TRY(check(query, *plan.metric));
  plan.counts_sessions = query.metric == "session_count";
  plan.keeps_all = std::any_of(query.aggregations.begin(), query.aggregations.end(),
                               [](const Aggregation& a) { return a.kind == Aggregation::Kind::percentile; });
  plan.sql.add(fmt::format("SELECT {}, {}", source.time, plan.metric->expression));
  for (const std::string& name : query.dimensions)
    plan.sql.add(", ").add(TRY(find(source.dimensions, name, "a dimension"))->expression);
  plan.sql.add(fmt::format(" FROM {} WHERE ", source.from));
  plan.sql.add(TRY(trace_scope(connection, query.project, query.experiments, false)));
  plan.sql.add(fmt::format(" AND {} IS NOT NULL", plan.metric->expression));
  if (query.from) plan.sql.add(fmt::format(" AND {} >= ?", source.time), query.from->micros);
  if (query.until) plan.sql.add(fmt::format(" AND {} <= ?", source.time), query.until->micros);
  if (query.of == TraceMetricsOf::spans) plan.sql.add(" AND s.ended_ns > 0");
  for (const FilterComparison& comparison : query.filter.comparisons)
    plan.sql.add(TRY(condition(comparison, query.of)));
  plan.sql.add(" LIMIT ?", static_cast<std::int64_t>(kTraceMetricRowsMax + 1));
  return plan;
}

using GroupKey = std::pair<std::int64_t, std::vector<std::string>>;

/// Nothing for a row that lacks one of the dimensions.
std::optional<GroupKey> key_of(const Row& row, const TraceMetricsQuery& query) {
  GroupKey key;
  if (query.bucket) {
    const std::int64_t size = query.bucket->count(), at = row.integer(0);
    key.first = (at / size - (at % size < 0 ? 1 : 0)) * size;
  }
  for (size_t i = 0; i < query.dimensions.size(); ++i) {
    const int column = 2 + static_cast<int>(i);
    if (row.is_null(column)) return std::nullopt;
    key.second.emplace_back(row.text(column));
  }
  return key;
}

void take(const Row& row, const Plan& plan, Sums& sums) {
  if (plan.counts_sessions) {
    sums.different.emplace(row.text(1));
    sums.count = static_cast<std::int64_t>(sums.different.size());
    return;
  }
  ++sums.count;
  const double value = row.number(1) / plan.metric->divisor;
  sums.total += value;
  sums.least = std::min(sums.least, value);
  sums.most = std::max(sums.most, value);
  if (plan.keeps_all) sums.all.push_back(value);
}

}  // namespace

Result<std::vector<TraceMetricsRow>> trace_metrics(catalog::Database& database, const TraceMetricsQuery& query) {
  std::map<GroupKey, Sums> groups;
  TRY(database.read([&](Connection& connection) -> Result<void> {
    const Plan plan = TRY(make_plan(connection, query));
    size_t rows = 0;
    TRY(connection.run(plan.sql.text, plan.sql.values, [&](const Row& row) {
      ++rows;
      if (auto key = key_of(row, query)) take(row, plan, groups[std::move(*key)]);
      return true;
    }));
    if (rows <= kTraceMetricRowsMax) return {};
    return Error{ErrorCode::too_large,
                 fmt::format("more than {} rows would have to be looked at; narrow the time or the filter",
                             kTraceMetricRowsMax)};
  }));
  std::vector<TraceMetricsRow> out;
  for (auto& [key, sums] : groups) {
    if (out.size() == query.rows_max) break;
    TraceMetricsRow& row = out.emplace_back();
    if (query.bucket) row.bucket = Time{key.first};
    row.dimensions = key.second;
    for (const Aggregation& aggregation : query.aggregations) row.aggregations.push_back(aggregate(aggregation, sums));
  }
  return out;
}

}  // namespace slipway::tracking

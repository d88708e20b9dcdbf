// Traces: what programs did, request by request, as trees of spans (domain/trace.h), with what was said of them.
//
// A trace comes from two sides. Its spans come as they end, in batches, from MLflow's client or any OpenTelemetry
// exporter (log_spans); and MLflow's client says at the end what the whole trace was (start, as MLflow calls it).
// Either may come first. What the client says of the whole counts more than what the spans say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/filter.h"
#include "domain/ids.h"
#include "domain/otlp.h"
#include "domain/trace.h"
#include "tracking/records.h"
#include "tracking/trace_metrics.h"

namespace slipway::tracking {

/// The tags and metadata that MLflow's client looks for.
inline constexpr std::string_view kTraceNameTag = "mlflow.traceName";
inline constexpr std::string_view kArtifactLocationTag = "mlflow.artifactLocation";
inline constexpr std::string_view kSpansLocationTag = "mlflow.trace.spansLocation";
inline constexpr std::string_view kSpansHere = "TRACKING_STORE";
inline constexpr std::string_view kSourceRunKey = "mlflow.sourceRun";
inline constexpr std::string_view kTraceSessionKey = "mlflow.trace.session";
inline constexpr std::string_view kTraceUserKey = "mlflow.trace.user";
inline constexpr std::string_view kTokenUsageKey = "mlflow.trace.tokenUsage";
inline constexpr std::string_view kCostKey = "mlflow.trace.cost";
inline constexpr std::string_view kSizeStatsKey = "mlflow.trace.sizeStats";

/// A trace without its spans.
struct Trace {
  TraceId id;
  std::int64_t number = 0;
  ExperimentId experiment;
  TraceState state = TraceState::unspecified;
  Time started_at;
  std::optional<Duration> duration;
  std::optional<std::string> client_request_id, request_preview, response_preview;
  KeyValues metadata, tags;  // the name is the tag kTraceNameTag
  std::vector<Assessment> assessments;
};

struct TraceQuery {
  ProjectId project;
  std::vector<ExperimentId> experiments;  // none: nothing, unless all_experiments
  bool all_experiments = false;
  Filter filter;
  std::vector<OrderTerm> order;
  size_t page_size = 100;
  std::string page_token;
};

/// Which traces of an experiment go: those with these ids, or all up to `until`; at most `most` of them, the oldest
/// first.
struct TraceRemoval {
  ExperimentId experiment;
  std::vector<TraceId> ids;
  std::optional<Time> until;
  std::optional<std::int64_t> most;
};

/// What becomes of an assessment; absent members stay, metadata is merged.
struct AssessmentChange {
  std::optional<std::string> name, rationale;
  std::optional<Json> feedback, feedback_error, expectation;
  std::optional<Attributes> metadata;
  std::optional<bool> valid;
};

/// How often two filters hold together.
struct FilterCounts {
  std::int64_t total = 0, first = 0, second = 0, both = 0;
};

/// Bytes of the spans of one trace, as OpenTelemetry writes them.
inline constexpr std::int64_t kTraceBytesMax = 128 << 20;
inline constexpr size_t kTracePageMax = 1000;
/// Bytes of spans that one search opens when a filter asks for their contents; then the page ends early, and its token
/// goes on from there.
inline constexpr size_t kSpanBytesSearchedMax = 256 << 20;
/// Traces that one request for counts looks at.
inline constexpr size_t kTracesCountedMax = 1'000'000;
inline constexpr size_t kTraceTagValueMax = 8000;  // characters; longer values are cut, as MLflow's server does
inline constexpr size_t kTracePreviewMax = 1000;   // characters of a preview made from a root span
inline constexpr size_t kTraceLinksMax = 100;      // in one request

/// invalid_argument for a filter that asks for what traces have not.
Result<void> check_trace_filter(const Filter& filter);

/// Every call blocks for the database, but log_spans. Thread-safe. What belongs to another project does not exist.
class Traces {
 public:
  Traces(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Keeps what a client says of a whole trace, assessments included; whether or not its spans are there yet.
  Result<Trace> start(const ProjectId& project, const Trace& trace);
  /// Keeps spans of any number of traces, all or none. Spans that are there already are replaced. Returns at once;
  /// `done` is told when they are kept (as a stream is).
  void log_spans(const ProjectId& project, const ExperimentId& experiment, std::vector<SpanBatch> batches,
                 catalog::Completion done);

  Result<Trace> get(const ProjectId& project, const TraceId& id);
  /// In the order of `ids`; those that do not exist are left out.
  Result<std::vector<Trace>> get(const ProjectId& project, const std::vector<TraceId>& ids);
  /// As sort_spans() sorts them. too_large past kTraceBytesMax.
  Result<std::vector<Span>> spans(const Trace& trace);

  Result<void> set_tag(const ProjectId& project, const TraceId& id, const std::string& key, const std::string& value);
  Result<void> delete_tag(const ProjectId& project, const TraceId& id, const std::string& key);
  /// How many went. In pieces: a failure in between leaves whole traces.
  Result<std::int64_t> remove(const ProjectId& project, const TraceRemoval& removal);
  /// Traces that do not exist are passed over; the run must.
  Result<void> link_to_run(const ProjectId& project, const std::vector<TraceId>& ids, const RunId& run);
  /// `prompts` are "name/version".
  Result<void> link_prompts(const ProjectId& project, const TraceId& id, const std::vector<std::string>& prompts);

  Result<Paged<Trace>> search(const TraceQuery& query);
  /// Of the traces that `base` lets through.
  Result<FilterCounts> count(const ProjectId& project, const std::vector<ExperimentId>& experiments, const Filter& base,
                             const Filter& first, const Filter& second);

  Result<std::vector<TraceMetricsRow>> metrics(const TraceMetricsQuery& query) {
    return trace_metrics(database_, query);
  }

  /// Gives it an id and times. not_found for the trace, or for the assessment that it overrides.
  Result<Assessment> assess(const ProjectId& project, Assessment assessment);
  Result<Assessment> assessment(const ProjectId& project, const TraceId& trace, const AssessmentId& id);
  Result<Assessment> change_assessment(const ProjectId& project, const TraceId& trace, const AssessmentId& id,
                                       const AssessmentChange& change);
  /// An assessment that is not there is fine. What it overrode counts again.
  Result<void> delete_assessment(const ProjectId& project, const TraceId& trace, const AssessmentId& id);

 private:
  catalog::Database& database_;
  const Clock& clock_;
};

}  // namespace slipway::tracking

// What the parts of Traces do with rows, inside somebody's transaction. Private to the room.
#pragma once

#include <span>

#include "catalog/catalog.h"
#include "tracking/traces.h"

namespace slipway::tracking {

/// A trace's row in short.
struct TraceRow {
  std::int64_t number = 0;
  TraceState state = TraceState::unspecified;
  Time started_at;
  std::optional<Duration> duration;
  bool has_request = false, has_response = false, is_told = false;
  std::int64_t span_bytes = 0;
};

Result<std::optional<TraceRow>> find_trace_row(catalog::Connection& connection, const ProjectId& project,
                                               const TraceId& id);
/// not_found in MLflow's words.
Result<TraceRow> need_trace_row(catalog::Connection& connection, const ProjectId& project, const TraceId& id);

/// Whole traces, in the order of the numbers.
Result<std::vector<Trace>> read_traces(catalog::Connection& connection, std::span<const std::int64_t> numbers);

/// Text without NUL bytes, cut at that many characters.
std::string stored_text(std::string_view text, size_t characters_max);

/// Replaces tags; that of the name goes into its column.
Result<void> put_trace_tags(catalog::Connection& connection, std::int64_t trace, const KeyValues& tags);
/// Replaces metadata, and keeps the columns that are made from it.
Result<void> put_trace_metadata(catalog::Connection& connection, std::int64_t trace, const KeyValues& metadata);
/// Where clients put what they attach to a trace, below its experiment's artifacts.
std::string trace_artifact_location(const Experiment& experiment, const TraceId& id);

/// The spans in a trace's rows; of those that are there twice the later ones.
Result<std::vector<Span>> read_spans(catalog::Connection& connection, std::int64_t trace);
/// Puts the rows of a trace's spans together into one, when there are several.
Result<void> join_span_batches(catalog::Connection& connection, std::int64_t trace);

/// Whole traces with everything that belongs to them.
Result<void> remove_trace_rows(catalog::Connection& connection, std::span<const std::int64_t> numbers);

Result<void> insert_assessment(catalog::Connection& connection, std::int64_t trace, const Assessment& assessment);
/// By trace, oldest first. `where` follows "FROM assessments a JOIN traces t ON t.number = a.trace WHERE ".
Result<std::vector<std::pair<std::int64_t, Assessment>>> read_assessments(catalog::Connection& connection,
                                                                          std::string_view where,
                                                                          const catalog::Values& values);

}  // namespace slipway::tracking

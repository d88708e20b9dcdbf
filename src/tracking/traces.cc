#include "tracking/traces.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "base/ids.h"
#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/run_rows.h"
#include "tracking/search_sql.h"
#include "tracking/trace_rows.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;
using catalog::Value;

namespace {

constexpr size_t kRemovedAtOnce = 500;  // traces in one transaction
constexpr size_t kNameMax = 4096;
constexpr size_t kIdMax = 250;
constexpr size_t kPreviewMax = 10'000;  // characters of a preview that a client sends

Value or_null(const std::optional<std::string>& text, size_t characters_max) {
  return text ? Value(stored_text(*text, characters_max)) : Value(nullptr);
}

Value or_null(const std::optional<Duration>& duration) {
  return duration ? Value(static_cast<std::int64_t>(duration->count())) : Value(nullptr);
}

Result<void> check(const Trace& trace) {
  if (!looks_like_id(trace.id.text)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid trace ID '{}': expected letters, digits, '-' and '_', at most 256 of them",
                             clean_utf8(trace.id.text, 300))};
  }
  for (const auto& [key, value] : trace.tags) {
    if (key == kTraceNameTag && stored_text(value, kNameMax).size() < clean_utf8(value).size()) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("Trace name exceeds the maximum length of {} characters", kNameMax)};
    }
  }
  return {};
}

/// The row of a trace of which the client tells; made when spans did not make it before.
Result<std::int64_t> put_row(Connection& connection, const ProjectId& project, const Experiment& experiment,
                             const Trace& trace) {
  const auto number = TRY(connection.first(
      "INSERT INTO traces (id, project_id, experiment, state, started_at, duration, client_request_id, request_preview, "
      "response_preview, is_told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (project_id, id) DO UPDATE SET "
      "experiment = excluded.experiment, state = excluded.state, started_at = excluded.started_at, duration = excluded.duration, "
      "client_request_id = excluded.client_request_id, request_preview = COALESCE(excluded.request_preview, traces.request_preview), "
      "response_preview = COALESCE(excluded.response_preview, traces.response_preview), is_told = 1 RETURNING number",
      {trace.id.text, project.text, experiment.number, std::string(name(trace.state)), trace.started_at.micros,
       or_null(trace.duration), or_null(trace.client_request_id, kIdMax), or_null(trace.request_preview, kPreviewMax),
       or_null(trace.response_preview, kPreviewMax)},
      [](const Row& row) { return row.integer(0); }));
  return number.value_or(0);
}

/// Replaces what has the same id.
Result<void> put_assessments(Connection& connection, std::int64_t trace, const std::vector<Assessment>& assessments) {
  for (const Assessment& assessment : assessments) {
    TRY(connection.run("DELETE FROM assessments WHERE trace = ? AND id = ?", {trace, assessment.id.text}));
    TRY(insert_assessment(connection, trace, assessment));
  }
  return {};
}

Result<Trace> read_one(Connection& connection, std::int64_t number) {
  auto found = TRY(read_traces(connection, std::span(&number, 1)));
  if (found.empty()) return Error{ErrorCode::internal, "a trace's row is gone while it is read [this is a bug]"};
  return std::move(found[0]);
}

Result<std::vector<std::int64_t>> numbers_to_remove(Connection& connection, std::int64_t experiment,
                                                    const TraceRemoval& removal, std::int64_t most) {
  Sql sql{"SELECT number FROM traces WHERE experiment = ?", {experiment}};
  if (removal.until) sql.add(" AND started_at <= ?", removal.until->micros);
  if (!removal.ids.empty()) {
    sql.add(" AND id IN (");
    for (size_t i = 0; i < removal.ids.size(); ++i) sql.add(i ? ", ?" : "?", removal.ids[i].text);
    sql.add(")");
  }
  sql.add(" ORDER BY started_at, id LIMIT ?", most);
  return connection.rows(sql.text, sql.values, [](const Row& row) { return row.integer(0); });
}

Result<void> link(Connection& connection, const char* kind, const std::string& target, std::int64_t trace) {
  TRY(connection.run("INSERT INTO trace_links (kind, target, trace) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                     {std::string(kind), target, trace}));
  return {};
}

}  // namespace

Result<Trace> Traces::start(const ProjectId& project, const Trace& given) {
  TRY(check(given));
  Trace trace = given;
  const Time now = clock_.now();
  for (Assessment& assessment : trace.assessments) {
    if (assessment.id.empty()) assessment.id = AssessmentId("a-" + new_hex_id_text(clock_));
    if (assessment.created_at.micros == 0) assessment.created_at = assessment.updated_at = now;
  }
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<Trace> {
    const Experiment experiment = TRY(read_experiment(connection, project, trace.experiment));
    if (experiment.deleted) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.",
                               experiment.id.text)};
    }
    const std::int64_t number = TRY(put_row(connection, project, experiment, trace));
    TRY(put_trace_tags(connection, number, trace.tags));
    TRY(put_trace_tags(connection, number,
                       {{std::string(kArtifactLocationTag), trace_artifact_location(experiment, trace.id)}}));
    TRY(put_trace_metadata(connection, number, trace.metadata));
    TRY(put_assessments(connection, number, trace.assessments));
    TRY(join_span_batches(connection, number));
    return read_one(connection, number);
  });
}

Result<Trace> Traces::get(const ProjectId& project, const TraceId& id) {
  return database_.read_value([&](Connection& connection) -> Result<Trace> {
    return read_one(connection, TRY(need_trace_row(connection, project, id)).number);
  });
}

Result<std::vector<Trace>> Traces::get(const ProjectId& project, const std::vector<TraceId>& ids) {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<Trace>> {
    std::vector<std::int64_t> numbers;
    std::unordered_set<std::int64_t> seen;
    for (const TraceId& id : ids) {
      const auto row = TRY(find_trace_row(connection, project, id));
      if (row && seen.insert(row->number).second) numbers.push_back(row->number);
    }
    return read_traces(connection, numbers);
  });
}

Result<std::vector<Span>> Traces::spans(const Trace& trace) {
  return database_.read_value([&](Connection& connection) { return read_spans(connection, trace.number); });
}

Result<void> Traces::set_tag(const ProjectId& project, const TraceId& id, const std::string& key,
                             const std::string& value) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const TraceRow row = TRY(need_trace_row(connection, project, id));
    return put_trace_tags(connection, row.number, {{key, value}});
  });
}

Result<void> Traces::delete_tag(const ProjectId& project, const TraceId& id, const std::string& key) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const TraceRow row = TRY(need_trace_row(connection, project, id));
    const auto gone =
        key == kTraceNameTag
            ? connection.run("UPDATE traces SET name = NULL WHERE number = ? AND name IS NOT NULL", {row.number})
            : connection.run("DELETE FROM trace_tags WHERE trace = ? AND key = ?",
                             {row.number, stored_text(key, kIdMax)});
    if (TRY(gone) > 0) return {};
    return Error{ErrorCode::not_found, fmt::format("No trace tag with key '{}' for trace with ID '{}'",
                                                   clean_utf8(key, 300), clean_utf8(id.text, 300))};
  });
}

Result<std::int64_t> Traces::remove(const ProjectId& project, const TraceRemoval& removal) {
  std::int64_t removed = 0;
  while (!removal.most || removed < *removal.most) {
    const auto most = std::min<std::int64_t>(kRemovedAtOnce, removal.most.value_or(INT64_MAX) - removed);
    const auto gone = TRY(database_.write_value(Durability::record, [&](Connection& connection) -> Result<size_t> {
      const Experiment experiment = TRY(read_experiment(connection, project, removal.experiment));
      const auto numbers = TRY(numbers_to_remove(connection, experiment.number, removal, most));
      TRY(remove_trace_rows(connection, numbers));
      return numbers.size();
    }));
    removed += static_cast<std::int64_t>(gone);
    if (gone < static_cast<size_t>(most)) break;
  }
  return removed;
}

Result<void> Traces::link_to_run(const ProjectId& project, const std::vector<TraceId>& ids, const RunId& run) {
  if (ids.size() > kTraceLinksMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Cannot link more than {} traces to a run in a single request. Provided {} traces.",
                             kTraceLinksMax, ids.size())};
  }
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    TRY(find_run_row(connection, project, run));
    for (const TraceId& id : ids) {
      if (const auto row = TRY(find_trace_row(connection, project, id)))
        TRY(link(connection, "run", run.text, row->number));
    }
    return {};
  });
}

Result<void> Traces::link_prompts(const ProjectId& project, const TraceId& id,
                                  const std::vector<std::string>& prompts) {
  if (prompts.size() > kTraceLinksMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Cannot link more than {} prompts to a trace in a single request", kTraceLinksMax)};
  }
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const TraceRow row = TRY(need_trace_row(connection, project, id));
    for (const std::string& prompt : prompts)
      TRY(link(connection, "prompt", stored_text(prompt, kNameMax), row.number));
    return {};
  });
}

}  // namespace slipway::tracking

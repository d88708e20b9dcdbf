#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "tracking/trace_rows.h"
#include "tracking/traces.h"

namespace slipway::tracking {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;
using catalog::Value;

namespace {

constexpr size_t kWordMax = 250, kNameMax = 4096;
constexpr size_t kTextMax = 1 << 20;  // characters of a value, an error, a rationale or metadata

Value or_null(const std::optional<std::string>& text) {
  return text ? Value(stored_text(*text, kTextMax)) : Value(nullptr);
}

Json parsed(std::string_view text) {
  auto json = Json::parse(text);
  return json.ok() ? std::move(*json) : Json();
}

Assessment make_assessment(const Row& row) {
  Assessment out;
  out.id = AssessmentId(row.text(1));
  out.trace = TraceId(row.text(2));
  out.kind = parse_assessment_kind(row.text(3)).value_or(AssessmentKind::feedback);
  out.name = row.text(4);
  out.source_type = row.text(5);
  out.source_id = row.text(6);
  out.value = parsed(row.text(7));
  if (const auto error = row.maybe_text(8)) out.error = parsed(*error);
  out.rationale = row.maybe_text(9);
  out.span = row.maybe_text(10);
  out.metadata = parsed(row.text(11)).object();
  out.overrides = row.maybe_text(12);
  out.valid = row.integer(13) != 0;
  out.created_at = {row.integer(14)};
  out.updated_at = {row.integer(15)};
  return out;
}

Result<Assessment> need(Connection& connection, const ProjectId& project, const TraceId& trace,
                        const AssessmentId& id) {
  const TraceRow row = TRY(need_trace_row(connection, project, trace));
  auto found =
      TRY(read_assessments(connection, "a.trace = ? AND a.id = ?", {row.number, stored_text(id.text, kWordMax)}));
  if (!found.empty()) return std::move(found[0].second);
  return Error{ErrorCode::not_found, fmt::format("Assessment with ID '{}' not found for trace '{}'",
                                                 clean_utf8(id.text, 300), clean_utf8(trace.text, 300))};
}

/// The assessment that another one overrides no longer counts, or counts again.
Result<std::int64_t> set_valid(Connection& connection, std::int64_t trace, const std::string& id, bool valid) {
  return connection.run("UPDATE assessments SET valid = ? WHERE trace = ? AND id = ?",
                        {std::int64_t{valid}, trace, stored_text(id, kWordMax)});
}

Result<void> apply(const AssessmentChange& change, Assessment& to) {
  if (change.feedback && change.expectation)
    return Error{ErrorCode::invalid_argument, "Cannot specify both `expectation` and `feedback` parameters."};
  if (change.expectation && to.kind != AssessmentKind::expectation)
    return Error{ErrorCode::invalid_argument, "Cannot update expectation value on a Feedback assessment."};
  if (change.feedback && to.kind != AssessmentKind::feedback)
    return Error{ErrorCode::invalid_argument, "Cannot update feedback value on an Expectation assessment."};
  if (change.name) to.name = *change.name;
  if (change.rationale) to.rationale = change.rationale;
  if (change.expectation) to.value = *change.expectation;
  if (change.feedback) {
    to.value = *change.feedback;
    to.error = change.feedback_error.value_or(Json());
  }
  if (change.valid) to.valid = *change.valid;
  Json merged{std::move(to.metadata)};
  for (const auto& [key, value] : change.metadata.value_or(Attributes{})) merged.set(key, value);
  to.metadata = merged.object();
  return {};
}

}  // namespace

Result<std::vector<std::pair<std::int64_t, Assessment>>> read_assessments(Connection& connection,
                                                                          std::string_view where,
                                                                          const catalog::Values& values) {
  return connection.rows(
      "SELECT a.trace, a.id, t.id, a.kind, a.name, a.source_type, a.source_id, a.value, a.error, a.rationale, a.span, a.metadata, "
      "a.overrides, a.valid, a.created_at, a.updated_at FROM assessments a JOIN traces t ON t.number = a.trace WHERE " +
          std::string(where) + " ORDER BY a.trace, a.created_at, a.number",
      values, [](const Row& row) { return std::make_pair(row.integer(0), make_assessment(row)); });
}

Result<void> insert_assessment(Connection& connection, std::int64_t trace, const Assessment& assessment) {
  const auto number = number_of(assessment.value);
  TRY(connection.run(
      "INSERT INTO assessments (id, trace, kind, name, source_type, source_id, value, value_number, is_number, error, rationale, "
      "span, metadata, overrides, valid, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {assessment.id.text, trace, std::string(name(assessment.kind)), stored_text(assessment.name, kNameMax),
       stored_text(assessment.source_type, kWordMax), stored_text(assessment.source_id, kNameMax),
       assessment.value.render(), number ? Value(*number) : Value(nullptr), std::int64_t{assessment.value.is_number()},
       assessment.error.is_null() ? Value(nullptr) : Value(assessment.error.render()), or_null(assessment.rationale),
       or_null(assessment.span), Json(assessment.metadata).render(), or_null(assessment.overrides),
       std::int64_t{assessment.valid}, assessment.created_at.micros, assessment.updated_at.micros}));
  return {};
}

Result<Assessment> Traces::assess(const ProjectId& project, Assessment assessment) {
  assessment.id = AssessmentId("a-" + new_hex_id_text(clock_));
  const Time now = clock_.now();
  if (assessment.created_at.micros == 0) assessment.created_at = now;
  if (assessment.updated_at.micros == 0) assessment.updated_at = assessment.created_at;
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<Assessment> {
    const TraceRow row = TRY(need_trace_row(connection, project, assessment.trace));
    if (assessment.overrides && TRY(set_valid(connection, row.number, *assessment.overrides, false)) == 0) {
      return Error{ErrorCode::not_found, fmt::format("Assessment with ID '{}' not found for trace '{}'",
                                                     clean_utf8(*assessment.overrides, 300), assessment.trace.text)};
    }
    TRY(insert_assessment(connection, row.number, assessment));
    return need(connection, project, assessment.trace, assessment.id);
  });
}

Result<Assessment> Traces::assessment(const ProjectId& project, const TraceId& trace, const AssessmentId& id) {
  return database_.read_value([&](Connection& connection) { return need(connection, project, trace, id); });
}

Result<Assessment> Traces::change_assessment(const ProjectId& project, const TraceId& trace, const AssessmentId& id,
                                             const AssessmentChange& change) {
  const Time now = clock_.now();
  return database_.write_value(Durability::record, [&](Connection& connection) -> Result<Assessment> {
    Assessment changed = TRY(need(connection, project, trace, id));
    TRY(apply(change, changed));
    changed.updated_at = now;
    const TraceRow row = TRY(need_trace_row(connection, project, trace));
    TRY(connection.run("DELETE FROM assessments WHERE trace = ? AND id = ?", {row.number, changed.id.text}));
    TRY(insert_assessment(connection, row.number, changed));
    return need(connection, project, trace, id);
  });
}

Result<void> Traces::delete_assessment(const ProjectId& project, const TraceId& trace, const AssessmentId& id) {
  return database_.write(Durability::record, [&](Connection& connection) -> Result<void> {
    const TraceRow row = TRY(need_trace_row(connection, project, trace));
    const auto old = need(connection, project, trace, id);
    if (!old.ok()) return {};
    if (old->overrides) TRY(set_valid(connection, row.number, *old->overrides, true));
    TRY(connection.run("DELETE FROM assessments WHERE trace = ? AND id = ?", {row.number, old->id.text}));
    return {};
  });
}

}  // namespace slipway::tracking

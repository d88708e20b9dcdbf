#include "tracking/trace_patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace slipway::tracking {
namespace {

constexpr std::array<std::string_view, 7> kTexts{"name",    "status",           "state", "request_id", "trace_id",
                                                 "session", "client_request_id"};

constexpr std::array<std::string_view, 4> kEntities{"tag", "metadata", "feedback", "expectation"};

const std::string* find(const KeyValues& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return &value;
  }
  return nullptr;
}

bool is_in(const Pattern& pattern, const std::string* text) { return text && pattern.is_in(*text); }

bool is_in_assessment(const Pattern& pattern, std::string_view kind, std::string_view key, const Trace& trace) {
  return std::any_of(trace.assessments.begin(), trace.assessments.end(), [&](const Assessment& one) {
    if (!one.valid || one.name != key || name(one.kind) != kind) return false;
    return pattern.is_in(one.value.is_string() ? one.value.string() : one.value.render());
  });
}

bool is_in_attribute(const Pattern& pattern, std::string_view key, const Trace& trace) {
  if (key == "name") return is_in(pattern, find(trace.tags, kTraceNameTag));
  if (key == "session") return is_in(pattern, find(trace.metadata, kTraceSessionKey));
  if (key == "status" || key == "state") return pattern.is_in(name(trace.state));
  if (key == "client_request_id") return trace.client_request_id && pattern.is_in(*trace.client_request_id);
  return pattern.is_in(trace.id.text);
}

}  // namespace

Result<void> TracePatterns::add(std::string_view entity, std::string_view key, const FilterComparison& comparison) {
  const bool is_text = entity.empty() ? std::find(kTexts.begin(), kTexts.end(), key) != kTexts.end()
                                      : std::find(kEntities.begin(), kEntities.end(), entity) != kEntities.end();
  if (!is_text || key.empty()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid comparator 'RLIKE' for '{}' in the filter; it is for name, status, request_id, "
                             "client_request_id, session, tags., metadata., span., feedback. and expectation.",
                             clean_utf8(comparison.key, 100))};
  }
  auto pattern = TRY(pattern_of(comparison));
  conditions_.push_back({std::string(entity), std::string(key), std::move(pattern)});
  return {};
}

bool TracePatterns::holds(const Condition& condition, const Trace& trace) {
  if (condition.entity == "tag") return is_in(condition.pattern, find(trace.tags, condition.key));
  if (condition.entity == "metadata") return is_in(condition.pattern, find(trace.metadata, condition.key));
  if (condition.entity.empty()) return is_in_attribute(condition.pattern, condition.key, trace);
  return is_in_assessment(condition.pattern, condition.entity, condition.key, trace);
}

bool TracePatterns::matches(const Trace& trace) const {
  return std::all_of(conditions_.begin(), conditions_.end(),
                     [&](const Condition& condition) { return holds(condition, trace); });
}

}  // namespace slipway::tracking

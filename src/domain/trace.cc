#include "domain/trace.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "base/text.h"

namespace slipway {
namespace {

template <typename Value, size_t N>
using Names = std::array<std::pair<Value, std::string_view>, N>;

constexpr Names<TraceState, 4> kStates{{{TraceState::unspecified, "STATE_UNSPECIFIED"},
                                        {TraceState::in_progress, "IN_PROGRESS"},
                                        {TraceState::ok, "OK"},
                                        {TraceState::error, "ERROR"}}};
constexpr Names<SpanStatus, 3> kStatuses{
    {{SpanStatus::unset, "UNSET"}, {SpanStatus::ok, "OK"}, {SpanStatus::error, "ERROR"}}};
constexpr Names<AssessmentKind, 3> kKinds{{{AssessmentKind::feedback, "feedback"},
                                           {AssessmentKind::expectation, "expectation"},
                                           {AssessmentKind::issue, "issue"}}};

template <typename Value, size_t N>
std::string_view name_in(const Names<Value, N>& names, Value value) {
  for (const auto& [known, word] : names) {
    if (known == value) return word;
  }
  return names[0].second;
}

template <typename Value, size_t N>
std::optional<Value> find_in(const Names<Value, N>& names, std::string_view text) {
  for (const auto& [known, word] : names) {
    if (word == text) return known;
  }
  return std::nullopt;
}

/// How far up a span's ancestors are asked: a circle of parents ends here too.
constexpr size_t kAncestorsMax = 1000;

/// The object that an attribute holds, which clients send as one or as its JSON text.
Json object_of(const Json& attribute) {
  if (attribute.is_object()) return attribute;
  if (!attribute.is_string()) return {};
  auto parsed = Json::parse(attribute.string());
  return parsed.ok() && parsed->is_object() ? std::move(*parsed) : Json();
}

/// The numbers that spans carry under `key`, summed over those spans that no ancestor already sums up.
std::map<std::string, double> sum_of(const std::vector<Span>& spans, std::string_view key) {
  std::unordered_map<std::string_view, const Span*> by_id;
  std::unordered_map<std::string_view, Json> carried;
  for (const Span& span : spans) {
    by_id[span.id] = &span;
    if (Json object = object_of(span.attribute(key)); object.is_object()) carried[span.id] = std::move(object);
  }
  const auto is_summed_up = [&](const Span& span) {
    size_t steps = 0;
    for (auto at = by_id.find(span.parent); at != by_id.end() && steps < kAncestorsMax; ++steps) {
      if (carried.count(at->first) > 0) return true;
      at = by_id.find(at->second->parent);
    }
    return false;
  };
  std::map<std::string, double> sums;
  for (const auto& [id, object] : carried) {
    if (is_summed_up(*by_id[id])) continue;
    for (const auto& [name, value] : object.object()) {
      if (const auto number = value.number()) sums[name] += *number;
    }
  }
  return sums;
}

}  // namespace

std::string_view name(TraceState state) { return name_in(kStates, state); }
std::optional<TraceState> parse_trace_state(std::string_view text) { return find_in(kStates, text); }
std::string_view name(SpanStatus status) { return name_in(kStatuses, status); }
std::optional<SpanStatus> parse_span_status(std::string_view text) { return find_in(kStatuses, text); }
std::string_view name(AssessmentKind kind) { return name_in(kKinds, kind); }
std::optional<AssessmentKind> parse_assessment_kind(std::string_view text) { return find_in(kKinds, text); }

TraceState after_root_span(TraceState now, SpanStatus root) {
  if (is_over(now)) return now;
  return root == SpanStatus::error ? TraceState::error : TraceState::ok;
}

const Json& Span::attribute(std::string_view key) const {
  static const Json none;
  for (const auto& [known, value] : attributes) {
    if (known == key) return value;
  }
  return none;
}

std::string span_type(const Span& span) { return span.attribute(kSpanTypeKey).string(); }

void sort_spans(std::vector<Span>& spans) {
  std::stable_sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    if (a.is_root() != b.is_root()) return a.is_root();
    return a.started_ns < b.started_ns;
  });
}

TraceSums sum_up(const std::vector<Span>& spans) {
  constexpr double kCountMax = 9e15;  // beyond, a double is no exact count
  TraceSums sums;
  for (const auto& [name, value] : sum_of(spans, kSpanUsageKey)) {
    if (value >= 0 && value <= kCountMax) sums.tokens.emplace_back(name, static_cast<std::int64_t>(value));
  }
  for (const auto& [name, value] : sum_of(spans, kSpanCostKey)) sums.cost.emplace_back(name, value);
  return sums;
}

std::optional<double> number_of(const Json& assessed) {
  if (const auto truth = assessed.boolean()) return *truth ? 1.0 : 0.0;
  if (const auto number = assessed.number()) return number;
  if (equals_ignore_case(assessed.string(), "yes")) return 1;
  if (equals_ignore_case(assessed.string(), "no")) return 0;
  return std::nullopt;
}

}  // namespace slipway

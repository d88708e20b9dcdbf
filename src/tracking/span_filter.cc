#include "tracking/span_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace slipway::tracking {
namespace {

constexpr std::string_view kAttributes = "attributes.";

std::string text_of(const Json& value) { return value.is_string() ? value.string() : value.render(); }

bool compares(const FilterComparison& comparison, const std::optional<Pattern>& pattern, const std::string& text) {
  const auto* wanted = std::get_if<std::string>(&comparison.value);
  const auto* listed = std::get_if<std::vector<std::string>>(&comparison.value);
  const auto is_listed = [&] { return listed && std::find(listed->begin(), listed->end(), text) != listed->end(); };
  switch (comparison.op) {
    case FilterOperator::equal: return wanted && text == *wanted;
    case FilterOperator::not_equal: return wanted && text != *wanted;
    case FilterOperator::like: return wanted && is_like(text, *wanted);
    case FilterOperator::ilike: return wanted && is_like(lower(text), lower(*wanted));
    case FilterOperator::rlike: return pattern && pattern->is_in(text);
    case FilterOperator::in: return is_listed();
    case FilterOperator::not_in: return !is_listed();
    case FilterOperator::is_not_null: return true;
    default: return false;
  }
}

}  // namespace

bool is_like(std::string_view text, std::string_view pattern) {
  // Where to go on when the rest does not fit: after the last '%', one character further in the text.
  size_t t = 0, p = 0, after_percent = std::string_view::npos, tried = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      after_percent = ++p;
      tried = t;
    } else if (p < pattern.size() && pattern[p] == '_') {
      ++p;
      ++t;
      while (t < text.size() && (static_cast<unsigned char>(text[t]) & 0xc0) == 0x80) ++t;  // the rest of a character
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (after_percent != std::string_view::npos) {
      p = after_percent;
      t = ++tried;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('%', p) == std::string_view::npos;
}

std::string searched_text(const Span& span) {
  JsonWriter json;
  json.begin_object().member("name", span.name).member("status_message", span.status_message);
  json.key("attributes").begin_object();
  for (const auto& [key, value] : span.attributes) json.member(key, value);
  json.end_object().key("events").begin_array();
  for (const SpanEvent& event : span.events) {
    json.begin_object().member("name", event.name).key("attributes").begin_object();
    for (const auto& [key, value] : event.attributes) json.member(key, value);
    json.end_object().end_object();
  }
  return json.end_array().end_object().take();
}

Result<void> SpanFilter::add(std::string_view part, const FilterComparison& comparison) {
  using Of = Condition::Of;
  Condition condition{Of::name, "", comparison, std::nullopt};
  if (part.starts_with(kAttributes) && part.size() > kAttributes.size()) {
    condition.of = Of::attribute;
    condition.attribute = part.substr(kAttributes.size());
  } else if (part == "content") {
    condition.of = Of::content;
    if (comparison.op != FilterOperator::like && comparison.op != FilterOperator::ilike &&
        comparison.op != FilterOperator::rlike) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("span.content is compared with '{}' in the filter; expected LIKE, ILIKE or RLIKE",
                               slipway::name(comparison.op))};
    }
  } else if (part == "type" || part == "status") {
    condition.of = part == "type" ? Of::type : Of::status;
  } else if (part != "name") {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid span attribute '{}'. Supported attributes: name, status, type, content, "
                             "attributes.<attribute_name>.",
                             clean_utf8(part, 100))};
  }
  if (comparison.op == FilterOperator::rlike) {
    condition.pattern = TRY(pattern_of(comparison));
    looks_inside_ = true;
    conditions_.push_back(std::move(condition));
    return {};
  }
  // Says what is wrong with the comparison, whether or not the table is asked.
  const Sql sql = TRY(compare_text(fmt::format("x.{}", condition.of == Of::type     ? "type"
                                                       : condition.of == Of::status ? "status"
                                                                                    : "name"),
                                   comparison));
  if (condition.of == Of::attribute || condition.of == Of::content)
    looks_inside_ = true;
  else
    table_.add(" AND ").add(sql);
  conditions_.push_back(std::move(condition));
  return {};
}

Sql SpanFilter::sql(std::string_view trace) const {
  Sql sql{fmt::format("EXISTS (SELECT 1 FROM trace_spans x WHERE x.trace = {}", trace), {}};
  return sql.add(table_).add(")");
}

bool SpanFilter::holds(const Condition& condition, const Span& span) {
  using Of = Condition::Of;
  const auto passes = [&](const std::string& text) { return compares(condition.comparison, condition.pattern, text); };
  switch (condition.of) {
    case Of::name: return passes(span.name);
    case Of::type: return passes(span_type(span));
    case Of::status: return passes(std::string(slipway::name(span.status)));
    case Of::content: return passes(searched_text(span));
    case Of::attribute: break;
  }
  const Json& value = span.attribute(condition.attribute);
  if (value.is_null()) return condition.comparison.op == FilterOperator::is_null;
  return passes(text_of(value));
}

bool SpanFilter::matches(const std::vector<Span>& spans) const {
  return std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
    return std::all_of(conditions_.begin(), conditions_.end(),
                       [&](const Condition& condition) { return holds(condition, span); });
  });
}

}  // namespace slipway::tracking

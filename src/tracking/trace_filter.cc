#include "tracking/trace_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/trace_rows.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr double kMicrosPerMilli = 1000;
constexpr size_t kTracesOpenedMax = 20'000;  // of which a count may open the spans
constexpr size_t kIndexedCharacters = 64;    // of a value; schema/0070 has the same

enum class Kind { text, time };
struct Attribute {
  std::string_view name, expression;
  Kind kind = Kind::text;
};
constexpr std::array<Attribute, 13> kAttributes{
    {{"request_id", "t.id"},
     {"trace_id", "t.id"},
     {"client_request_id", "t.client_request_id"},
     {"status", "t.state"},
     {"state", "t.state"},
     {"name", "t.name"},
     {"timestamp", "t.started_at", Kind::time},
     {"timestamp_ms", "t.started_at", Kind::time},
     {"execution_time", "t.duration", Kind::time},
     {"execution_time_ms", "t.duration", Kind::time},
     {"end_time", "(t.started_at + COALESCE(t.duration, 0))", Kind::time},
     {"end_time_ms", "(t.started_at + COALESCE(t.duration, 0))", Kind::time},
     {"session", "t.session"}}};

const Attribute* find_attribute(std::string_view key) {
  for (const Attribute& attribute : kAttributes) {
    if (attribute.name == key) return &attribute;
  }
  return nullptr;
}

/// What stands before the first dot, when it is a word of ours, and what follows.
struct Name {
  std::string_view entity, key;
};
Name split_name(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kWords{
      "trace", "metadata", "request_metadata", "span", "feedback", "expectation", "issue"};
  const size_t dot = name.find('.');
  const std::string_view word = name.substr(0, dot == std::string_view::npos ? 0 : dot);
  for (const std::string_view known : kWords) {
    if (equals_ignore_case(word, known)) return {known, name.substr(dot + 1)};
  }
  return {"", name};
}

/// A key's value in a table of (trace, key, value).
Result<Sql> pair_condition(std::string_view table, const std::string& key, const FilterComparison& comparison) {
  Sql sql = TRY(compare_pair(table, "x.trace = t.number", key, comparison));
  const auto* value = std::get_if<std::string>(&comparison.value);
  if (comparison.op != FilterOperator::equal || !value) return sql;
  // An equal value is found by its index.
  Sql indexed{fmt::format("t.number IN (SELECT x.trace FROM {} x WHERE x.key = ?", table), {key}};
  indexed.add(" AND substr(x.value, 1, 64) = ?", stored_text(*value, kIndexedCharacters));
  return indexed.add(" AND x.value = ?)", *value);
}

/// Linked afterwards, or logged while the run was active.
Result<Sql> run_condition(const FilterComparison& comparison) {
  Sql sql{"(EXISTS (SELECT 1 FROM trace_links l WHERE l.kind = 'run' AND l.trace = t.number AND ", {}};
  if (comparison.op == FilterOperator::is_null || comparison.op == FilterOperator::not_equal ||
      comparison.op == FilterOperator::not_in)
    return pair_condition("trace_metadata", std::string(kSourceRunKey), comparison);
  sql.add(TRY(compare_text("l.target", comparison))).add(") OR ");
  return sql.add(TRY(pair_condition("trace_metadata", std::string(kSourceRunKey), comparison))).add(")");
}

Result<Sql> prompt_condition(const FilterComparison& comparison) {
  const auto* value = std::get_if<std::string>(&comparison.value);
  if (comparison.op != FilterOperator::equal || !value) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid comparator '{}' for prompts filter. Only '=' is supported with format: prompt = "
                             "\"name/version\"",
                             name(comparison.op))};
  }
  Sql sql{"t.number IN (SELECT l.trace FROM trace_links l WHERE l.kind = 'prompt' AND l.target = ?)", {*value}};
  return sql;
}

/// Values are JSON: an equal text is that text, or the number or truth that it spells.
Result<Sql> value_condition(const FilterComparison& comparison) {
  if (std::holds_alternative<double>(comparison.value)) {
    Sql sql{"a.is_number = 1 AND ", {}};
    return sql.add(TRY(compare_number("a.value_number", comparison)));
  }
  const auto* text = std::get_if<std::string>(&comparison.value);
  const bool equal = comparison.op == FilterOperator::equal;
  if (!text || (!equal && comparison.op != FilterOperator::not_equal)) return compare_text("a.value", comparison);
  Sql sql{equal ? "(a.value = ?" : "NOT (a.value = ?", {*text}};
  return sql.add(" OR a.value = ?)", Json(*text).render());
}

Result<Sql> assessment_condition(std::string_view kind, std::string_view key, const FilterComparison& comparison) {
  if (key.empty()) return Error{ErrorCode::invalid_argument, "Assessment field name cannot be empty"};
  const bool absent = comparison.op == FilterOperator::is_null;
  Sql sql{absent ? "t.number NOT IN" : "t.number IN", {}};
  sql.add(" (SELECT a.trace FROM assessments a WHERE a.kind = ?", std::string(kind));
  sql.add(" AND a.name = ? AND a.valid = 1", std::string(key));
  if (!absent && comparison.op != FilterOperator::is_not_null) sql.add(" AND ").add(TRY(value_condition(comparison)));
  return sql.add(")");
}

Result<Sql> issue_condition(std::string_view key, const FilterComparison& comparison) {
  if (key != "id")
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid issue attribute '{}'. Supported attributes: id", clean_utf8(key, 100))};
  Sql sql{"t.number IN (SELECT a.trace FROM assessments a WHERE a.kind = 'issue' AND ", {}};
  return sql.add(TRY(compare_text("a.name", comparison))).add(")");
}

Result<void> add_attribute(const FilterComparison& comparison, TraceFilter& filter) {
  const auto [entity, key] = split_name(comparison.key);
  if (entity == "span") return filter.spans.add(key, comparison);
  if ((entity.empty() || entity == "trace") && key == "text") return filter.spans.add("content", comparison);
  if (comparison.op == FilterOperator::rlike) {
    const bool is_own = entity.empty() || entity == "trace";
    return filter.patterns.add(is_own ? "" : entity == "request_metadata" ? "metadata" : entity, key, comparison);
  }
  filter.where.add(" AND ");
  if (entity == "metadata" || entity == "request_metadata") {
    filter.where.add(key == kSourceRunKey ? TRY(run_condition(comparison))
                                          : TRY(pair_condition("trace_metadata", std::string(key), comparison)));
  } else if (entity == "feedback" || entity == "expectation") {
    filter.where.add(TRY(assessment_condition(entity, key, comparison)));
  } else if (entity == "issue") {
    filter.where.add(TRY(issue_condition(key, comparison)));
  } else if (key == "run_id") {
    filter.where.add(TRY(run_condition(comparison)));
  } else if (key == "prompt") {
    filter.where.add(TRY(prompt_condition(comparison)));
  } else if (const Attribute* attribute = find_attribute(key)) {
    filter.where.add(TRY(attribute->kind == Kind::time
                             ? compare_number(attribute->expression, comparison, kMicrosPerMilli)
                             : compare_text(attribute->expression, comparison)));
  } else {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("Invalid attribute key '{}' specified; traces have request_id, client_request_id, timestamp_ms, "
                    "execution_time_ms, end_time_ms, status, name, run_id, prompt and text, and tags., metadata., "
                    "span., feedback. and expectation.",
                    clean_utf8(comparison.key, 100))};
  }
  return {};
}

Result<Sql> order_expression(const OrderTerm& term, KeyKind& kind) {
  kind = KeyKind::text;
  const auto [entity, key] = split_name(term.key);
  const bool is_tag = term.entity == FilterEntity::tag;
  if (is_tag && term.key == kTraceNameTag) return Sql{"t.name", {}};
  if (is_tag || entity == "metadata" || entity == "request_metadata" || key == "run_id") {
    Sql sql{fmt::format("(SELECT x.value FROM {} x WHERE x.trace = t.number AND x.key = ?)",
                        is_tag ? "trace_tags" : "trace_metadata"),
            {is_tag            ? term.key
             : key == "run_id" ? std::string(kSourceRunKey)
                               : std::string(key)}};
    return sql;
  }
  if (term.entity == FilterEntity::attribute && key == "experiment_id")
    return Sql{"(SELECT e.id FROM experiments e WHERE e.number = t.experiment)", {}};
  const Attribute* attribute =
      term.entity == FilterEntity::attribute && (entity.empty() || entity == "trace") ? find_attribute(key) : nullptr;
  if (!attribute) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("Invalid order_by key '{}'; traces are ordered by timestamp_ms, execution_time_ms, end_time_ms, "
                    "status, request_id, name, run_id, tags. and metadata.",
                    clean_utf8(term.key, 100))};
  }
  if (attribute->kind == Kind::time) kind = KeyKind::integer;
  return Sql{std::string(attribute->expression), {}};
}

/// Whether an expression of the row itself can be NULL.
bool is_never_null(std::string_view expression) {
  return expression == "t.id" || expression == "t.state" || expression == "t.started_at" ||
         expression.starts_with("(t.started_at");
}

}  // namespace

Result<TraceFilter> make_trace_filter(const Filter& given) {
  TraceFilter filter;
  for (const FilterComparison& comparison : given.comparisons) {
    if (comparison.entity == FilterEntity::attribute) {
      TRY(add_attribute(comparison, filter));
    } else if (comparison.entity == FilterEntity::tag && comparison.op == FilterOperator::rlike) {
      TRY(filter.patterns.add("tag", comparison.key, comparison));
    } else if (comparison.entity == FilterEntity::tag) {
      filter.where.add(" AND ").add(comparison.key == kTraceNameTag
                                        ? TRY(compare_text("t.name", comparison))
                                        : TRY(pair_condition("trace_tags", comparison.key, comparison)));
    } else {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("Invalid entity type '{}'. Valid values are attributes, tags, metadata, span, feedback, "
                               "expectation and issue",
                               name(comparison.entity))};
    }
  }
  return filter;
}

Result<void> check_trace_filter(const Filter& filter) {
  TRY(make_trace_filter(filter));
  return {};
}

Result<bool> passes_inside(Connection& connection, const TraceFilter& filter, std::int64_t trace) {
  if (!filter.patterns.empty()) {
    const auto found = TRY(read_traces(connection, std::span(&trace, 1)));
    if (found.empty() || !filter.patterns.matches(found[0])) return false;
  }
  return !filter.spans.looks_inside() || filter.spans.matches(TRY(read_spans(connection, trace)));
}

Result<std::vector<std::int64_t>> passing_traces(Connection& connection, const Sql& scope, const TraceFilter& filter,
                                                 size_t most) {
  if (filter.looks_inside()) most = std::min(most, kTracesOpenedMax);
  Sql sql{"SELECT t.number FROM traces t WHERE ", {}};
  sql.add(scope).add(filter.where);
  if (!filter.spans.empty()) sql.add(" AND ").add(filter.spans.sql("t.number"));
  sql.add(" ORDER BY t.number LIMIT ?", static_cast<std::int64_t>(most + 1));
  auto numbers = TRY(connection.rows(sql.text, sql.values, [](const catalog::Row& row) { return row.integer(0); }));
  if (numbers.size() > most) {
    return Error{
        ErrorCode::too_large,
        fmt::format("more than {} traces would have to be looked at; narrow the filter, for example by timestamp_ms",
                    most)};
  }
  if (!filter.looks_inside()) return numbers;
  std::vector<std::int64_t> passing;
  for (const std::int64_t number : numbers) {
    if (TRY(passes_inside(connection, filter, number))) passing.push_back(number);
  }
  return passing;
}

Result<Sql> trace_scope(Connection& connection, const ProjectId& project, const std::vector<ExperimentId>& experiments,
                        bool all_experiments) {
  if (all_experiments) return Sql{"t.project_id = ?", {project.text}};
  std::vector<std::int64_t> numbers;
  for (const ExperimentId& id : experiments) {
    const auto experiment = read_experiment(connection, project, id);
    if (experiment.ok())
      numbers.push_back(experiment->number);
    else if (experiment.error().code != ErrorCode::not_found)
      return experiment.error();
  }
  return one_of("t.experiment", numbers);
}

Result<std::vector<SortKey>> trace_sort_keys(const std::vector<OrderTerm>& order) {
  std::vector<SortKey> keys;
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (order[i].entity == order[j].entity && order[i].key == order[j].key)
        return Error{ErrorCode::invalid_argument, "`order_by` contains duplicate fields"};
    }
    KeyKind kind = KeyKind::text;
    const Sql expression = TRY(order_expression(order[i], kind));
    if (is_never_null(expression.text))
      keys.push_back({expression, order[i].ascending, kind});
    else
      add_nullable_key(keys, expression, order[i].ascending, kind);
  }
  keys.push_back({Sql{"t.started_at", {}}, false, KeyKind::integer});
  keys.push_back({Sql{"t.id", {}}, true, KeyKind::text});
  return keys;
}

}  // namespace slipway::tracking

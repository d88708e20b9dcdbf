#include "tracking/search_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tracking/experiments.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr const char* kStatusExpression =
    "CASE r.state WHEN 'queued' THEN 'SCHEDULED' WHEN 'scheduled' THEN 'SCHEDULED' WHEN 'running' THEN 'RUNNING' WHEN 'stopping' THEN 'RUNNING' "
    "WHEN 'finished' THEN 'FINISHED' WHEN 'failed' THEN 'FAILED' ELSE 'KILLED' END";
constexpr double kMicrosPerMilli = 1000;
constexpr size_t kIndexedCharacters = 64;

struct Attribute {
  std::string_view name, expression;
  bool is_time = false;
};
constexpr Attribute kAttributes[] = {
    {"run_id", "r.id"},
    {"id", "r.id"},
    {"run_name", "r.name"},
    {"run name", "r.name"},
    {"name", "r.name"},
    {"status", kStatusExpression},
    {"state", "r.state"},
    {"artifact_uri", "r.artifact_uri"},
    {"user_id", "r.user_name"},
    {"source", "r.source_kind"},
    {"parent_id", "r.parent_id"},
    {"start_time", "r.started_at", true},
    {"started_at", "r.started_at", true},
    {"created", "r.started_at", true},
    {"created_at", "r.created_at", true},
    {"end_time", "r.ended_at", true},
    {"ended_at", "r.ended_at", true},
};

const Attribute* find_attribute(std::string_view key) {
  for (const Attribute& attribute : kAttributes) {
    if (equals_ignore_case(attribute.name, key)) return &attribute;
  }
  return nullptr;
}

Error unknown_attribute(std::string_view key) {
  std::vector<std::string> names;
  for (const Attribute& attribute : kAttributes) names.emplace_back(attribute.name);
  const auto close = nearest(key, names);
  return {ErrorCode::invalid_argument,
          fmt::format("Invalid attribute key '{}' specified; runs have {}{}", clean_utf8(key, 100), join(names, ", "),
                      close ? "; did you mean '" + *close + "'?" : "")};
}

Result<bool> are_few(Connection& connection, const Sql& runs) {
  Sql probe{"SELECT COUNT(*) FROM (", {}};
  probe.add(runs).add(" LIMIT ?)", kListedRunsMax + 1);
  const auto count = TRY(connection.first(probe.text, probe.values, [](const catalog::Row& row) {
                       return row.integer(0);
                     })).value_or(0);
  return count <= kListedRunsMax;
}

/// Which runs pass: listed by `runs` ("SELECT x.run FROM …") when they are few or all are to be counted, else by
/// `each`, a look per run. Both find the same. On SQLite, which keeps no statistics, the choice is ours; PostgreSQL
/// makes it itself.
Result<Sql> listed_or_each(const Asked& asked, const Sql& runs, Sql each) {
  if (asked.connection.is_postgres()) return each;
  if (!asked.counts && !TRY(are_few(asked.connection, runs))) return each;
  // The plus keeps SQLite from walking along the list, which is not sorted as the answer is.
  Sql sql{"+@run IN (", {}};
  return sql.add(runs).add(")");
}

/// Whether a comparison can be made with the indexed beginnings of values alone.
bool fits_index(const FilterComparison& comparison) {
  const auto is_short = [](const std::string& text) { return text.size() < kIndexedCharacters; };
  if (const auto* text = std::get_if<std::string>(&comparison.value))
    return comparison.op == FilterOperator::equal && is_short(*text);
  const auto* texts = std::get_if<std::vector<std::string>>(&comparison.value);
  return texts && comparison.op == FilterOperator::in && std::all_of(texts->begin(), texts->end(), is_short);
}

Result<Sql> pair_condition(const Asked& asked, const std::string& table, const FilterComparison& comparison) {
  const bool absent = comparison.op == FilterOperator::is_null;
  const bool by_index = fits_index(comparison);
  Sql that{" x.key = ?", {comparison.key}};
  if (!absent && comparison.op != FilterOperator::is_not_null)
    that.add(" AND ").add(TRY(compare_text(by_index ? indexed_value("x") : "x.value", comparison)));
  Sql each{absent ? "NOT EXISTS" : "EXISTS", {}};
  each.add(" (SELECT 1 FROM " + table + " x WHERE x.run = @run AND").add(that).add(")");
  if (!by_index) return each;
  Sql runs{"SELECT x.run FROM " + table + " x WHERE", {}};
  return listed_or_each(asked, runs.add(that), std::move(each));
}

Result<Sql> dataset_condition(const FilterComparison& comparison) {
  const char* expression = comparison.key == "name"      ? "d.name"
                           : comparison.key == "digest"  ? "d.digest"
                           : comparison.key == "context" ? "u.context"
                                                         : nullptr;
  if (!expression) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid dataset key '{}' in the filter; expected name, digest or context",
                             clean_utf8(comparison.key, 100))};
  }
  Sql sql;
  sql.add("EXISTS (SELECT 1 FROM run_datasets u JOIN input_datasets d ON d.number = u.dataset WHERE u.run = @run AND ");
  return sql.add(TRY(compare_text(expression, comparison))).add(")");
}

/// Whether a value passes; NaN passes nothing, as NULL does in the database.
bool passes(double value, const FilterComparison& comparison) {
  const auto* wanted = std::get_if<double>(&comparison.value);
  switch (comparison.op) {
    case FilterOperator::is_null: return false;
    case FilterOperator::is_not_null: return true;
    case FilterOperator::equal: return value == *wanted;
    case FilterOperator::not_equal: return value < *wanted || value > *wanted;
    case FilterOperator::less: return value < *wanted;
    case FilterOperator::less_equal: return value <= *wanted;
    case FilterOperator::greater: return value > *wanted;
    case FilterOperator::greater_equal: return value >= *wanted;
    default: return false;  // compare_number() has refused it
  }
}

/// What metric_latest says of a comparison.
Result<Sql> stored_metric_condition(const Asked& asked, MetricNumber metric, const FilterComparison& comparison) {
  const bool absent = comparison.op == FilterOperator::is_null;
  const bool only_presence = absent || comparison.op == FilterOperator::is_not_null;
  Sql that{" x.metric = ?", {std::int64_t{metric}}};
  if (!only_presence) that.add(" AND ").add(TRY(compare_number("x.value", comparison)));
  Sql each{absent ? "NOT EXISTS" : "EXISTS", {}};
  each.add(" (SELECT 1 FROM metric_latest x WHERE x.run = @run AND").add(that).add(")");
  if (only_presence || asked.experiments.empty()) return each;
  Sql runs{"SELECT x.run FROM metric_latest x WHERE ", {}};
  return listed_or_each(asked, runs.add(one_of("x.experiment", asked.experiments)).add(" AND").add(that),
                        std::move(each));
}

/// Runs whose latest value the log changes are judged by that one, all others by metric_latest.
Result<Sql> metric_condition(const Asked& asked, const FilterComparison& comparison) {
  const auto metric = TRY(asked.metrics.names().number(asked.connection, asked.query.project, comparison.key));
  Sql stored = TRY(stored_metric_condition(asked, metric.value_or(0), comparison));
  const auto fresh = metric ? asked.fresh.find(*metric) : asked.fresh.end();
  if (fresh == asked.fresh.end()) return stored;
  std::vector<std::int64_t> known, passing;
  for (const FreshValue& one : fresh->second) {
    known.push_back(one.run);
    if (passes(one.value, comparison)) passing.push_back(one.run);
  }
  const bool is_postgres = asked.connection.is_postgres();
  Sql sql{"(", {}};
  sql.add(among(kRun, passing, is_postgres))
      .add(" OR (")
      .add(stored)
      .add(" AND NOT ")
      .add(among(kRun, known, is_postgres));
  return sql.add("))");
}

Result<Sql> run_condition(const Asked& asked, const FilterComparison& comparison) {
  switch (comparison.entity) {
    case FilterEntity::metric: return metric_condition(asked, comparison);
    case FilterEntity::parameter: return pair_condition(asked, "run_params", comparison);
    case FilterEntity::tag: return pair_condition(asked, "run_tags", comparison);
    case FilterEntity::dataset: return dataset_condition(comparison);
    case FilterEntity::attribute: break;
  }
  return Error{ErrorCode::internal, "an attribute is no condition on a run's number [this is a bug]"};
}

Result<Sql> attribute_condition(const FilterComparison& comparison) {
  const Attribute* attribute = find_attribute(comparison.key);
  if (!attribute) return unknown_attribute(comparison.key);
  return attribute->is_time ? compare_number(attribute->expression, comparison, kMicrosPerMilli)
                            : compare_text(attribute->expression, comparison);
}

Result<void> add_condition(const Asked& asked, const FilterComparison& comparison, Plan& plan) {
  if (comparison.entity == FilterEntity::attribute)
    plan.where.add(" AND ").add(TRY(attribute_condition(comparison)));
  else
    plan.of_run.add(" AND ").add(TRY(run_condition(asked, comparison)));
  return {};
}

Result<void> add_attribute_order(const OrderTerm& term, Plan& plan) {
  const Attribute* attribute = find_attribute(term.key);
  if (!attribute) return unknown_attribute(term.key);
  const bool nullable = attribute->expression == "r.ended_at" || attribute->expression == "r.parent_id";
  const KeyKind kind = attribute->is_time ? KeyKind::integer : KeyKind::text;
  if (nullable)
    add_nullable_key(plan.keys, Sql{std::string(attribute->expression), {}}, term.ascending, kind);
  else
    plan.keys.push_back({Sql{std::string(attribute->expression), {}}, term.ascending, kind});
  return {};
}

Result<void> add_metric_order(const Asked& asked, const OrderTerm& term, size_t index, Plan& plan) {
  const auto metric = TRY(asked.metrics.names().number(asked.connection, asked.query.project, term.key));
  if (index == 0) {
    plan.metric_first = true;
    plan.metric = metric.value_or(0);
    plan.metric_ascending = term.ascending;
    if (const auto fresh = asked.fresh.find(plan.metric); fresh != asked.fresh.end()) plan.fresh = fresh->second;
    return {};
  }
  const std::string alias = fmt::format("o{}", index);
  plan.joins.add(fmt::format(" LEFT JOIN metric_latest {0} ON {0}.run = r.number AND {0}.metric = ?", alias),
                 std::int64_t{metric.value_or(0)});
  SortKey rank;
  rank.expression.add(fmt::format("CASE WHEN {0}.run IS NULL THEN 2 WHEN {0}.value IS NULL THEN 1 ELSE 0 END", alias));
  plan.keys.push_back(std::move(rank));
  plan.keys.push_back({Sql{fmt::format("COALESCE({}.value, 0)", alias), {}}, term.ascending, KeyKind::real});
  return {};
}

/// Whether so many runs pass the conditions on their rows that sorting them all takes longer than walking an index.
Result<bool> are_many(const Asked& asked, const Plan& plan) {
  Sql probe{"SELECT COUNT(*) FROM (SELECT 1 FROM runs r WHERE ", {}};
  probe.add(plan.where).add(" LIMIT ?)", kListedRunsMax + 1);
  const auto count = TRY(asked.connection.first(probe.text, probe.values, [](const catalog::Row& row) {
                       return row.integer(0);
                     })).value_or(0);
  return count > kListedRunsMax;
}

Result<void> add_pair_order(const Asked& asked, const OrderTerm& term, size_t index, Plan& plan) {
  const char* table = term.entity == FilterEntity::parameter ? "run_params" : "run_tags";
  if (index == 0) {
    plan.pair_table = table;
    plan.pair_key = term.key;
    plan.pair_ascending = term.ascending;
    plan.along_pairs = !plan.is_postgres && TRY(are_many(asked, plan));
    return {};
  }
  const std::string alias = fmt::format("o{}", index);
  plan.joins.add(fmt::format(" LEFT JOIN {1} {0} ON {0}.run = r.number AND {0}.key = ?", alias, table), term.key);
  add_nullable_key(plan.keys, Sql{alias + ".value", {}}, term.ascending, KeyKind::text);
  return {};
}

Result<void> add_order(const Asked& asked, const OrderTerm& term, size_t index, Plan& plan) {
  switch (term.entity) {
    case FilterEntity::attribute: return add_attribute_order(term, plan);
    case FilterEntity::metric: return add_metric_order(asked, term, index, plan);
    case FilterEntity::dataset:
      return Error{ErrorCode::invalid_argument,
                   "runs cannot be ordered by a dataset; order by an attribute, metric, param or tag"};
    case FilterEntity::parameter:
    case FilterEntity::tag: break;
  }
  return add_pair_order(asked, term, index, plan);
}

Result<void> check_distinct(const std::vector<OrderTerm>& order) {
  if (order.size() > kOrderTermsMax)
    return Error{ErrorCode::too_large, fmt::format("runs are ordered by at most {} terms", kOrderTermsMax)};
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (order[i].entity == order[j].entity && order[i].key == order[j].key)
        return Error{ErrorCode::invalid_argument, "`order_by` contains duplicate fields"};
    }
  }
  return {};
}

}  // namespace

std::string indexed_value(std::string_view alias) {
  // As in the indexes run_params_by_value and run_tags_by_value; 64 is kIndexedCharacters.
  return fmt::format("substr({}.value, 1, 64)", alias);
}

Sql conditions(const Plan& plan, std::string_view run) {
  Sql sql = plan.where;
  std::string_view text = plan.of_run.text;
  for (size_t at; (at = text.find(kRun)) != std::string_view::npos; text.remove_prefix(at + kRun.size()))
    sql.add(text.substr(0, at)).add(run);
  sql.add(text);
  sql.values.insert(sql.values.end(), plan.of_run.values.begin(), plan.of_run.values.end());
  return sql;
}

Result<std::vector<std::int64_t>> experiment_numbers(Connection& connection, const RunQuery& query) {
  std::vector<std::int64_t> numbers;
  for (const ExperimentId& id : query.experiments) {
    const auto experiment = read_experiment(connection, query.project, id);
    if (experiment.ok())
      numbers.push_back(experiment->number);
    else if (experiment.error().code != ErrorCode::not_found)
      return experiment.error();
  }
  return numbers;
}

Result<Plan> make_plan(const Asked& asked) {
  const RunQuery& query = asked.query;
  Plan plan;
  plan.experiments = asked.experiments;
  plan.is_postgres = asked.connection.is_postgres();
  if (query.all_experiments)
    plan.where.add("r.project_id = ?", query.project.text);
  else
    plan.where.add(one_of("r.experiment", plan.experiments));
  if (query.view != View::all)
    plan.where.add(query.view == View::deleted ? " AND r.deleted = 1" : " AND r.deleted = 0");
  for (const FilterComparison& comparison : query.filter.comparisons) TRY(add_condition(asked, comparison, plan));
  TRY(check_distinct(query.order));
  for (size_t i = 0; i < query.order.size(); ++i) TRY(add_order(asked, query.order[i], i, plan));
  const auto is_time = [](const OrderTerm& t) {
    return t.entity == FilterEntity::attribute && find_attribute(t.key)->expression == "r.started_at";
  };
  if (std::none_of(query.order.begin(), query.order.end(), is_time))
    plan.keys.push_back({Sql{"r.started_at", {}}, false, KeyKind::integer});
  plan.keys.push_back({Sql{"r.id", {}}, true, KeyKind::text});
  return plan;
}

}  // namespace slipway::tracking

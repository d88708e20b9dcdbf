// Searching runs. When the first order term is a metric, the rows come in three phases, each in the order of an index:
// runs that have a number for it, then NaN, then those that never logged it.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/run_rows.h"
#include "tracking/search.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr const char* kStatusExpression =
    "CASE r.state WHEN 'queued' THEN 'SCHEDULED' WHEN 'scheduled' THEN 'SCHEDULED' WHEN 'running' THEN 'RUNNING' WHEN 'stopping' THEN 'RUNNING' "
    "WHEN 'finished' THEN 'FINISHED' WHEN 'failed' THEN 'FAILED' ELSE 'KILLED' END";
constexpr double kMicrosPerMilli = 1000;
constexpr int kPhases = 3;

struct Attribute {
  std::string_view name, expression;
  bool is_time = false;
};
constexpr Attribute kAttributes[] = {
    {"run_id", "r.id"}, {"id", "r.id"}, {"run_name", "r.name"}, {"run name", "r.name"}, {"name", "r.name"},
    {"status", kStatusExpression}, {"state", "r.state"}, {"artifact_uri", "r.artifact_uri"}, {"user_id", "r.user_name"},
    {"source", "r.source_kind"}, {"parent_id", "r.parent_id"}, {"start_time", "r.started_at", true}, {"started_at", "r.started_at", true},
    {"created", "r.started_at", true}, {"created_at", "r.created_at", true}, {"end_time", "r.ended_at", true}, {"ended_at", "r.ended_at", true},
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
  return {ErrorCode::invalid_argument, fmt::format("Invalid attribute key '{}' specified; runs have {}{}", clean_utf8(key, 100), join(names, ", "),
                                                   close ? "; did you mean '" + *close + "'?" : "")};
}

/// Everything a query's SQL is made of, before phases and pages.
struct Plan {
  Sql joins;                   // of order terms beyond the first metric
  Sql where;                   // r.… conditions
  std::vector<SortKey> keys;   // after the phase
  std::optional<MetricNumber> metric;  // the first order term, when it is a metric
  bool metric_first = false, metric_ascending = true;
  std::vector<std::int64_t> experiments;
};

Result<Sql> pair_condition(const char* table, const FilterComparison& comparison) {
  const bool absent = comparison.op == FilterOperator::is_null;
  Sql sql;
  sql.add(absent ? "NOT EXISTS" : "EXISTS").add(" (SELECT 1 FROM ").add(table).add(" x WHERE x.run = r.number AND x.key = ?", comparison.key);
  const bool only_presence = absent || comparison.op == FilterOperator::is_not_null;
  if (!only_presence) sql.add(" AND ").add(TRY(compare_text("x.value", comparison)));
  return sql.add(")");
}

Result<Sql> dataset_condition(const FilterComparison& comparison) {
  const char* expression = comparison.key == "name" ? "d.name" : comparison.key == "digest" ? "d.digest" : comparison.key == "context" ? "u.context" : nullptr;
  if (!expression) {
    return Error{ErrorCode::invalid_argument, fmt::format("Invalid dataset key '{}' in the filter; expected name, digest or context", clean_utf8(comparison.key, 100))};
  }
  Sql sql;
  sql.add("EXISTS (SELECT 1 FROM run_datasets u JOIN input_datasets d ON d.number = u.dataset WHERE u.run = r.number AND ");
  return sql.add(TRY(compare_text(expression, comparison))).add(")");
}

Result<Sql> metric_condition(Connection& connection, const Metrics& metrics, const ProjectId& project, const FilterComparison& comparison) {
  const bool absent = comparison.op == FilterOperator::is_null;
  Sql compared;
  const bool only_presence = absent || comparison.op == FilterOperator::is_not_null;
  if (!only_presence) compared = TRY(compare_number("x.value", comparison));
  const auto metric = TRY(metrics.names().number(connection, project, comparison.key));
  if (!metric) return Sql{absent ? "1 = 1" : "1 = 0", {}};
  Sql sql;
  sql.add(absent ? "NOT EXISTS" : "EXISTS").add(" (SELECT 1 FROM metric_latest x WHERE x.run = r.number AND x.metric = ?", std::int64_t{*metric});
  if (!only_presence) sql.add(" AND ").add(compared);
  return sql.add(")");
}

Result<Sql> condition(Connection& connection, const Metrics& metrics, const ProjectId& project, const FilterComparison& comparison) {
  switch (comparison.entity) {
    case FilterEntity::metric: return metric_condition(connection, metrics, project, comparison);
    case FilterEntity::parameter: return pair_condition("run_params", comparison);
    case FilterEntity::tag: return pair_condition("run_tags", comparison);
    case FilterEntity::dataset: return dataset_condition(comparison);
    case FilterEntity::attribute: break;
  }
  const Attribute* attribute = find_attribute(comparison.key);
  if (!attribute) return unknown_attribute(comparison.key);
  return attribute->is_time ? compare_number(attribute->expression, comparison, kMicrosPerMilli) : compare_text(attribute->expression, comparison);
}

Result<void> add_order(Connection& connection, const Metrics& metrics, const ProjectId& project, const OrderTerm& term, size_t index, Plan& plan) {
  if (term.entity == FilterEntity::attribute) {
    const Attribute* attribute = find_attribute(term.key);
    if (!attribute) return unknown_attribute(term.key);
    const bool nullable = attribute->expression == "r.ended_at" || attribute->expression == "r.parent_id";
    const KeyKind kind = attribute->is_time ? KeyKind::integer : KeyKind::text;
    if (nullable) add_nullable_key(plan.keys, Sql{std::string(attribute->expression), {}}, term.ascending, kind);
    else plan.keys.push_back({Sql{std::string(attribute->expression), {}}, term.ascending, kind});
    return {};
  }
  const std::string alias = fmt::format("o{}", index);
  if (term.entity == FilterEntity::metric) {
    const auto metric = TRY(metrics.names().number(connection, project, term.key));
    if (index == 0) {
      plan.metric_first = true;
      plan.metric = metric;
      plan.metric_ascending = term.ascending;
      return {};
    }
    plan.joins.add(fmt::format(" LEFT JOIN metric_latest {0} ON {0}.run = r.number AND {0}.metric = ?", alias), std::int64_t{metric.value_or(0)});
    SortKey rank;
    rank.expression.add(fmt::format("CASE WHEN {0}.run IS NULL THEN 2 WHEN {0}.value IS NULL THEN 1 ELSE 0 END", alias));
    plan.keys.push_back(std::move(rank));
    plan.keys.push_back({Sql{fmt::format("COALESCE({}.value, 0)", alias), {}}, term.ascending, KeyKind::real});
    return {};
  }
  if (term.entity == FilterEntity::dataset) return Error{ErrorCode::invalid_argument, "runs cannot be ordered by a dataset; order by an attribute, metric, param or tag"};
  const char* table = term.entity == FilterEntity::parameter ? "run_params" : "run_tags";
  plan.joins.add(fmt::format(" LEFT JOIN {1} {0} ON {0}.run = r.number AND {0}.key = ?", alias, table), term.key);
  add_nullable_key(plan.keys, Sql{alias + ".value", {}}, term.ascending, KeyKind::text);
  return {};
}

Result<void> check_distinct(const std::vector<OrderTerm>& order) {
  if (order.size() > kOrderTermsMax) return Error{ErrorCode::too_large, fmt::format("runs are ordered by at most {} terms", kOrderTermsMax)};
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (order[i].entity == order[j].entity && order[i].key == order[j].key) return Error{ErrorCode::invalid_argument, "`order_by` contains duplicate fields"};
    }
  }
  return {};
}

/// Those of the query's experiments that exist.
Result<std::vector<std::int64_t>> experiment_numbers(Connection& connection, const RunQuery& query) {
  std::vector<std::int64_t> numbers;
  for (const ExperimentId& id : query.experiments) {
    const auto number = TRY(connection.first("SELECT number FROM experiments WHERE id = ? AND project_id = ?", {id.text, query.project.text},
                                             [](const catalog::Row& row) { return row.integer(0); }));
    if (number) numbers.push_back(*number);
  }
  return numbers;
}

Result<Plan> make_plan(Connection& connection, const Metrics& metrics, const RunQuery& query) {
  Plan plan;
  if (query.all_experiments) {
    plan.where.add("r.project_id = ?", query.project.text);
  } else {
    plan.experiments = TRY(experiment_numbers(connection, query));
    plan.where.add("r.experiment IN (");
    for (size_t i = 0; i < plan.experiments.size(); ++i) plan.where.add(i ? ", ?" : "?", plan.experiments[i]);
    plan.where.add(plan.experiments.empty() ? "-1)" : ")");
  }
  if (query.view != View::all) plan.where.add(query.view == View::deleted ? " AND r.deleted = 1" : " AND r.deleted = 0");
  for (const FilterComparison& comparison : query.filter.comparisons) {
    plan.where.add(" AND ").add(TRY(condition(connection, metrics, query.project, comparison)));
  }
  TRY(check_distinct(query.order));
  for (size_t i = 0; i < query.order.size(); ++i) TRY(add_order(connection, metrics, query.project, query.order[i], i, plan));
  const auto is_time = [](const OrderTerm& t) { return t.entity == FilterEntity::attribute && find_attribute(t.key)->expression == "r.started_at"; };
  if (std::none_of(query.order.begin(), query.order.end(), is_time)) plan.keys.push_back({Sql{"r.started_at", {}}, false, KeyKind::integer});
  plan.keys.push_back({Sql{"r.id", {}}, true, KeyKind::text});
  return plan;
}

/// The rows of one phase: " FROM … WHERE …". In `keys` come the sort keys that go with it.
Sql phase_sql(const Plan& plan, int phase, std::vector<SortKey>& keys) {
  Sql sql;
  keys = plan.keys;
  if (!plan.metric_first) return sql.add(" FROM runs r").add(plan.joins).add(" WHERE ").add(plan.where);
  const std::int64_t metric = plan.metric.value_or(0);
  if (phase == 2) {
    sql.add(" FROM runs r").add(plan.joins).add(" WHERE ").add(plan.where);
    return sql.add(" AND NOT EXISTS (SELECT 1 FROM metric_latest o WHERE o.run = r.number AND o.metric = ?)", metric);
  }
  // CROSS JOIN holds SQLite to this order of the loops: along the index of values.
  sql.add(" FROM metric_latest o CROSS JOIN runs r").add(plan.joins).add(" WHERE o.metric = ?", metric);
  if (!plan.experiments.empty()) {
    sql.add(" AND o.experiment IN (");
    for (size_t i = 0; i < plan.experiments.size(); ++i) sql.add(i ? ", ?" : "?", plan.experiments[i]);
    sql.add(")");
  }
  sql.add(" AND r.number = o.run AND ").add(plan.where).add(phase == 0 ? " AND o.value IS NOT NULL" : " AND o.value IS NULL");
  if (phase == 0) keys.insert(keys.begin(), {Sql{"o.value", {}}, plan.metric_ascending, KeyKind::real});
  return sql;
}

std::string fingerprint_of(const RunQuery& query) {
  std::string text = query.project.text + '\n' + render(query.filter) + '\n' + std::to_string(static_cast<int>(query.view));
  for (const ExperimentId& id : query.experiments) text += '\n' + id.text;
  for (const OrderTerm& term : query.order) text += '\t' + render(term);
  return fingerprint(text);
}

struct Found {
  std::vector<std::int64_t> numbers;
  std::optional<PageMark> next;
};

/// One page of run numbers, going on where `mark` says.
Result<Found> find_page(Connection& connection, const Plan& plan, PageMark mark, size_t page_size) {
  Found found;
  for (int phase = plan.metric_first ? mark.phase : kPhases - 1; phase < kPhases; ++phase) {
    std::vector<SortKey> keys;
    Sql sql;
    const Sql body = phase_sql(plan, phase, keys);
    sql.add("SELECT r.number").add(select_keys(keys)).add(body);
    const bool goes_on = !mark.last.empty() && phase == mark.phase;
    if (goes_on && mark.last.size() != keys.size()) return Error{ErrorCode::invalid_argument, "Invalid page token: it is damaged"};
    if (goes_on) sql.add(" AND ").add(rows_after(keys, mark.last));
    sql.add(order_by(keys)).add(" LIMIT ?", static_cast<std::int64_t>(page_size - found.numbers.size() + 1));
    PageMark end{mark.query, phase, {}};
    TRY(connection.run(sql.text, sql.values, [&](const catalog::Row& row) {
      if (found.numbers.size() == page_size) {
        found.next = end;
        return false;
      }
      found.numbers.push_back(row.integer(0));
      end.last = read_keys(row, 1, keys);
      return true;
    }));
    if (found.next) {
      // Nothing of this phase was taken: the next page begins with it.
      if (found.next->last.empty()) found.next->phase = phase;
      return found;
    }
  }
  return found;
}

}  // namespace

Result<RunPage> Search::runs(const RunQuery& query) {
  if (query.page_size == 0 || query.page_size > kPageSizeMax) {
    return Error{ErrorCode::invalid_argument, fmt::format("Invalid value for max_results: {}; expected 1 to {}", query.page_size, kPageSizeMax)};
  }
  const auto is_metric = [](const auto& part) { return part.entity == FilterEntity::metric; };
  const bool needs_latest = std::any_of(query.order.begin(), query.order.end(), is_metric) ||
                            std::any_of(query.filter.comparisons.begin(), query.filter.comparisons.end(), is_metric);
  if (needs_latest) {
    const auto experiments = query.all_experiments ? std::vector<std::int64_t>{} : TRY(database_.read_value([&](Connection& connection) { return experiment_numbers(connection, query); }));
    if (query.all_experiments || !experiments.empty()) TRY(sorter_.catch_up(experiments));
  }
  const std::string print = fingerprint_of(query);
  // With no marks yet, a metric order begins in phase 0; the others know only the last phase.
  PageMark mark{print, needs_latest && !query.order.empty() && is_metric(query.order[0]) ? 0 : kPhases - 1, {}};
  if (!query.page_token.empty()) mark = TRY(parse_page_token(query.page_token, print));
  return database_.read_value([&](Connection& connection) -> Result<RunPage> {
    const Plan plan = TRY(make_plan(connection, metrics_, query));
    Found found = TRY(find_page(connection, plan, mark, query.page_size));
    RunPage page;
    page.items = TRY(read_runs(connection, metrics_, found.numbers, query.parts));
    if (found.next) page.next_page_token = render_page_token(*found.next);
    if (query.count) {
      Sql sql;
      sql.add("SELECT COUNT(*) FROM runs r WHERE ").add(plan.where);
      page.total = TRY(connection.first(sql.text, sql.values, [](const catalog::Row& row) { return row.integer(0); })).value_or(0);
    }
    return page;
  });
}

Result<std::vector<std::string>> Search::keys(const ProjectId& project, FilterEntity entity, std::optional<ExperimentId> experiment, size_t most) {
  return database_.read_value([&](Connection& connection) -> Result<std::vector<std::string>> {
    Sql sql;
    sql.add("SELECT DISTINCT x.key FROM runs r JOIN ").add(entity == FilterEntity::tag ? "run_tags" : "run_params");
    sql.add(" x ON x.run = r.number WHERE r.project_id = ? AND r.deleted = 0", project.text);
    if (experiment) sql.add(" AND r.experiment = ?", TRY(read_experiment(connection, project, *experiment)).number);
    sql.add(" ORDER BY x.key LIMIT ?", static_cast<std::int64_t>(most));
    return connection.rows(sql.text, sql.values, [](const catalog::Row& row) { return std::string(row.text(0)); });
  });
}

}  // namespace slipway::tracking

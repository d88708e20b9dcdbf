#include <fmt/format.h>

#include "base/text.h"
#include "tracking/evaluation_datasets.h"
#include "tracking/evaluation_rows.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr double kMicrosPerMilli = 1000;
constexpr size_t kOrderMax = 3;

struct Attribute {
  std::string_view name, expression;
  bool is_time = false, sorts = true;
};
constexpr Attribute kAttributes[] = {
    {"name", "d.name"},
    {"created_time", "d.created_at", true},
    {"last_update_time", "d.updated_at", true},
    {"created_by", "d.created_by", false, false},
    {"last_updated_by", "d.updated_by", false, false},
};

Result<const Attribute*> find_attribute(std::string_view key, bool sorts) {
  for (const Attribute& attribute : kAttributes) {
    if (attribute.name == key && (attribute.sorts || !sorts)) return &attribute;
  }
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("Invalid attribute key '{}' specified. Valid keys are: {}", clean_utf8(key, 100),
                  sorts ? "name, created_time, last_update_time"
                        : "name, created_time, last_update_time, created_by, last_updated_by, and tags.<key>")};
}

Result<Sql> condition(const FilterComparison& comparison) {
  if (comparison.entity == FilterEntity::tag)
    return compare_pair("evaluation_dataset_tags", "x.dataset = d.number", comparison.key, comparison);
  if (comparison.entity != FilterEntity::attribute) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid identifier token '{}' specified; datasets are filtered by attributes and tags",
                             name(comparison.entity))};
  }
  const Attribute* attribute = TRY(find_attribute(comparison.key, false));
  return attribute->is_time ? compare_number(attribute->expression, comparison, kMicrosPerMilli)
                            : compare_text(attribute->expression, comparison);
}

Result<std::vector<SortKey>> sort_keys(const std::vector<OrderTerm>& order) {
  if (order.size() > kOrderMax)
    return Error{ErrorCode::too_large, fmt::format("datasets are ordered by at most {} terms", kOrderMax)};
  std::vector<SortKey> keys;
  for (const OrderTerm& term : order) {
    if (term.entity != FilterEntity::attribute)
      return Error{ErrorCode::invalid_argument, "Invalid order_by entity: datasets are ordered by attributes"};
    const Attribute* attribute = TRY(find_attribute(term.key, true));
    keys.push_back({Sql{std::string(attribute->expression), {}}, term.ascending,
                    attribute->is_time ? KeyKind::integer : KeyKind::text});
  }
  if (keys.empty()) keys.push_back({Sql{"d.created_at", {}}, false, KeyKind::integer});
  keys.push_back({Sql{"d.id", {}}, false, KeyKind::text});
  return keys;
}

catalog::Values keys_of(const EvaluationDataset& dataset, const std::vector<SortKey>& keys) {
  catalog::Values values;
  for (const SortKey& key : keys) {
    const std::string& expression = key.expression.text;
    if (expression == "d.name")
      values.emplace_back(dataset.name);
    else if (expression == "d.id")
      values.emplace_back(dataset.id.text);
    else
      values.emplace_back(expression == "d.created_at" ? dataset.created_at.micros : dataset.updated_at.micros);
  }
  return values;
}

std::string print_of(const EvaluationDatasetQuery& query) {
  std::string print = query.project.text + render(query.filter);
  for (const OrderTerm& term : query.order) print += '\t' + render(term);
  if (query.experiments) {
    for (const ExperimentId& id : *query.experiments) print += '\n' + id.text;
  }
  return fingerprint(print);
}

Sql within(const std::vector<ExperimentId>& experiments) {
  std::vector<std::string> ids;
  for (const ExperimentId& id : experiments) ids.push_back(id.text);
  Sql sql{
      "d.number IN (SELECT x.dataset FROM evaluation_dataset_experiments x JOIN experiments e ON e.number = "
      "x.experiment WHERE ",
      {}};
  return sql.add(one_of_texts("e.id", ids)).add(")");
}

}  // namespace

Result<Paged<EvaluationDataset>> EvaluationDatasets::search(const EvaluationDatasetQuery& query) {
  if (query.page_size == 0 || query.page_size > kEvaluationDatasetPageMax) {
    return Error{ErrorCode::invalid_argument, fmt::format("Invalid value for max_results: {}; expected 1 to {}",
                                                          query.page_size, kEvaluationDatasetPageMax)};
  }
  const auto keys = TRY(sort_keys(query.order));
  const std::string print = print_of(query);
  Sql where{"WHERE d.project_id = ?", {query.project.text}};
  if (query.experiments) where.add(" AND ").add(within(*query.experiments));
  for (const FilterComparison& comparison : query.filter.comparisons)
    where.add(" AND ").add(TRY(condition(comparison)));
  if (!query.page_token.empty())
    where.add(" AND ").add(rows_after(keys, TRY(parse_page_keys(query.page_token, print, keys))));
  where.add(order_by(keys)).add(" LIMIT ?", static_cast<std::int64_t>(query.page_size + 1));
  return database_.read_value([&](Connection& connection) -> Result<Paged<EvaluationDataset>> {
    Paged<EvaluationDataset> page;
    page.items = TRY(read_evaluation_datasets(connection, where.text, where.values));
    if (page.items.size() <= query.page_size) return page;
    page.items.pop_back();
    page.next_page_token = render_page_token({print, 0, keys_of(page.items.back(), keys)});
    return page;
  });
}

}  // namespace slipway::tracking

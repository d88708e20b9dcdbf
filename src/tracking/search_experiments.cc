#include <fmt/format.h>

#include "base/text.h"
#include "tracking/experiments.h"
#include "tracking/search.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

using catalog::Connection;

namespace {

constexpr double kMicrosPerMilli = 1000;

struct Attribute {
  std::string_view name, expression;
  bool is_time = false, filters = true;
};
constexpr Attribute kAttributes[] = {
    {"name", "e.name"},
    {"creation_time", "e.created_at", true},
    {"last_update_time", "e.updated_at", true},
    {"experiment_id", "e.number", true, false},
};

Result<const Attribute*> find_attribute(std::string_view key, bool filters) {
  for (const Attribute& attribute : kAttributes) {
    if (attribute.name == key && (attribute.filters || !filters)) return &attribute;
  }
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("Invalid attribute key '{}' specified; experiments have name, creation_time and last_update_time",
                  clean_utf8(key, 100))};
}

Result<Sql> condition(const FilterComparison& comparison) {
  if (comparison.entity == FilterEntity::tag)
    return compare_pair("experiment_tags", "x.experiment = e.number", comparison.key, comparison);
  if (comparison.entity != FilterEntity::attribute) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid entity type '{}': experiments are filtered by attributes and tags",
                             name(comparison.entity))};
  }
  const Attribute* attribute = TRY(find_attribute(comparison.key, true));
  return attribute->is_time ? compare_number(attribute->expression, comparison, kMicrosPerMilli)
                            : compare_text(attribute->expression, comparison);
}

Result<std::vector<SortKey>> sort_keys(const std::vector<OrderTerm>& order) {
  std::vector<SortKey> keys;
  bool by_id = false;
  for (const OrderTerm& term : order) {
    if (term.entity != FilterEntity::attribute)
      return Error{ErrorCode::invalid_argument, "experiments are ordered by attributes only"};
    const Attribute* attribute = TRY(find_attribute(term.key, false));
    keys.push_back({Sql{std::string(attribute->expression), {}}, term.ascending,
                    attribute->is_time ? KeyKind::integer : KeyKind::text});
    by_id = by_id || term.key == "experiment_id";
  }
  if (keys.empty()) {
    keys.push_back({Sql{"e.created_at", {}}, false, KeyKind::integer});
    keys.push_back({Sql{"e.number", {}}, true, KeyKind::integer});
  } else if (!by_id) {
    keys.push_back({Sql{"e.number", {}}, false, KeyKind::integer});
  }
  return keys;
}

}  // namespace

Result<Paged<Experiment>> Search::experiments(const ExperimentQuery& query) {
  if (query.page_size == 0 || query.page_size > kPageSizeMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("Invalid value for max_results: {}; expected 1 to {}", query.page_size, kPageSizeMax)};
  }
  std::string print = query.project.text + render(query.filter) + std::to_string(static_cast<int>(query.view));
  for (const OrderTerm& term : query.order) print += '\t' + render(term);
  print = fingerprint(print);
  const auto keys = TRY(sort_keys(query.order));
  Sql where;
  where.add("WHERE e.project_id = ?", query.project.text);
  if (query.view != View::all) where.add(query.view == View::deleted ? " AND e.deleted = 1" : " AND e.deleted = 0");
  for (const FilterComparison& comparison : query.filter.comparisons)
    where.add(" AND ").add(TRY(condition(comparison)));
  if (!query.page_token.empty())
    where.add(" AND ").add(rows_after(keys, TRY(parse_page_keys(query.page_token, print, keys))));
  where.add(order_by(keys)).add(" LIMIT ?", static_cast<std::int64_t>(query.page_size + 1));
  return database_.read_value([&](Connection& connection) -> Result<Paged<Experiment>> {
    Paged<Experiment> page;
    page.items = TRY(read_experiments(connection, where.text, where.values));
    if (page.items.size() <= query.page_size) return page;
    page.items.pop_back();
    const Experiment& last = page.items.back();
    PageMark mark{print, 0, {}};
    for (const SortKey& key : keys) {
      const std::string& expression = key.expression.text;
      if (expression == "e.name")
        mark.last.emplace_back(last.name);
      else
        mark.last.emplace_back(expression == "e.number"       ? last.number
                               : expression == "e.created_at" ? last.created_at.micros
                                                              : last.updated_at.micros);
    }
    page.next_page_token = render_page_token(mark);
    return page;
  });
}

}  // namespace slipway::tracking

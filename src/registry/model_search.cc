#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "domain/filter.h"
#include "registry/model_rows.h"

namespace slipway::registry {
namespace {

using catalog::Connection;
using catalog::Values;

/// What a name in a filter or an order stands for.
struct Column {
  std::string_view name;
  std::string_view sql;
  bool number = false;
  bool in_filter = true;
  bool in_order = true;
};

/// One kind of thing that can be searched.
struct Table {
  std::vector<Column> columns;
  std::string_view tag_exists;  // ends where a condition on t.key and t.value follows
};

const Table& models_table() {
  static const Table table{{{"name", "m.name"},
                            {"timestamp", "m.updated_at", true, false},
                            {"last_updated_timestamp", "m.updated_at", true, false},
                            {"creation_timestamp", "m.created_at", true, false}},
                           "EXISTS (SELECT 1 FROM model_tags t WHERE t.model = m.number"};
  return table;
}

const Table& versions_table() {
  static const Table table{
      {{"name", "m.name"},
       {"version_number", "v.version", true},
       {"version", "v.version", true, false},
       {"run_id", "v.run_id", false, true, false},
       {"source_path", "v.source", false, true, false},
       {"creation_timestamp", "v.created_at", true, false},
       {"last_updated_timestamp", "v.updated_at", true, false}},
      "EXISTS (SELECT 1 FROM model_version_tags t WHERE t.model = v.model AND t.version = v.version"};
  return table;
}

Result<const Column*> find_column(const Table& table, std::string_view name, bool for_order) {
  std::vector<std::string> known;
  for (const Column& column : table.columns) {
    if (!(for_order ? column.in_order : column.in_filter)) continue;
    if (column.name == name) return &column;
    known.emplace_back(column.name);
  }
  return Error{ErrorCode::invalid_argument,
               fmt::format("Invalid attribute key '{}' specified; expected {}{}", clean_utf8(name, 100),
                           join(known, ", "), for_order ? "" : " or tags.<key>")};
}

/// `sql op ?` for one comparison; the values go to the end of `values`.
Result<std::string> condition(const std::string& sql, const FilterComparison& comparison, bool number, Values& values) {
  using Op = FilterOperator;
  const auto wrong = [&](std::string_view expected) {
    return Error{ErrorCode::invalid_argument, fmt::format("the filter compares '{}' with {}; expected {}",
                                                          comparison.key, name(comparison.op), expected)};
  };
  if (number) {
    const double* value = std::get_if<double>(&comparison.value);
    if (value == nullptr || comparison.op == Op::like || comparison.op == Op::ilike)
      return wrong("=, !=, <, <=, > or >= and a number without quotes");
    values.emplace_back(*value);
    return fmt::format("{} {} ?", sql, comparison.op == Op::not_equal ? "<>" : name(comparison.op));
  }
  if (comparison.op == Op::in || comparison.op == Op::not_in) {
    const auto& list = std::get<std::vector<std::string>>(comparison.value);
    std::vector<std::string> marks(list.size(), "?");
    for (const std::string& item : list) values.emplace_back(item);
    return fmt::format("{} {} ({})", sql, name(comparison.op), join(marks, ", "));
  }
  const std::string* text = std::get_if<std::string>(&comparison.value);
  if (text == nullptr) return wrong("a text in quotes");
  switch (comparison.op) {
    case Op::equal: values.emplace_back(*text); return sql + " = ?";
    case Op::not_equal: values.emplace_back(*text); return sql + " <> ?";
    case Op::like: values.emplace_back(*text); return sql + " LIKE ?";
    case Op::ilike: values.emplace_back(*text); return fmt::format("LOWER({}) LIKE LOWER(?)", sql);
    default: return wrong("=, !=, LIKE or ILIKE");
  }
}

Result<std::string> condition(const Table& table, const FilterComparison& comparison, Values& values) {
  if (comparison.entity == FilterEntity::tag) {
    values.emplace_back(comparison.key);
    const std::string exists = fmt::format("{} AND t.key = ?", table.tag_exists);
    if (comparison.op == FilterOperator::is_null) return "NOT " + exists + ")";
    if (comparison.op == FilterOperator::is_not_null) return exists + ")";
    return fmt::format("{} AND {})", exists, TRY(condition("t.value", comparison, false, values)));
  }
  if (comparison.entity != FilterEntity::attribute) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}.{}' cannot be searched for here; expected an attribute or tags.<key>",
                             name(comparison.entity), comparison.key)};
  }
  const Column* column = TRY(find_column(table, comparison.key, false));
  return condition(std::string(column->sql), comparison, column->number, values);
}

struct Query {
  std::string where, order;
  Values values;
  bool speaks_of_prompts = false;
};

constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";

Result<Query> translate(const Table& table, const Search& search, std::string_view otherwise,
                        std::string_view tie_break) {
  Query query;
  const Filter filter = TRY(parse_filter(search.filter));
  for (const FilterComparison& comparison : filter.comparisons) {
    const bool is_prompt_tag = comparison.entity == FilterEntity::tag && comparison.key == kPromptTag;
    // The client's way of asking for models without prompts: what is not tagged at all is meant too.
    if (is_prompt_tag && comparison.op == FilterOperator::not_equal) continue;
    query.where += " AND " + TRY(condition(table, comparison, query.values));
    query.speaks_of_prompts |= is_prompt_tag;
  }
  std::vector<std::string> terms;
  for (const std::string& text : search.order_by) {
    const OrderTerm term = TRY(parse_order(text));
    const Column* column = TRY(find_column(table, term.key, true));
    const std::string sql(column->sql);
    if (std::any_of(terms.begin(), terms.end(),
                    [&](const std::string& known) { return known.starts_with(sql + " "); })) {
      return Error{ErrorCode::invalid_argument, "`order_by` contains duplicate fields: " + join(search.order_by, ", ")};
    }
    terms.push_back(sql + (term.ascending ? " ASC" : " DESC"));
  }
  query.order = terms.empty() ? std::string(otherwise) : join(terms, ", ") + ", " + std::string(tie_break);
  return query;
}

Result<std::int64_t> check_page(const Search& search) {
  if (search.page_size < 1 || search.page_size > kSearchPageMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("a page of {} was asked for; expected 1 to {}", search.page_size, kSearchPageMax)};
  }
  return parse_position_token(search.page_token);
}

/// A page of what `select` finds, filtered and ordered by `query`. `finish(connection, row)` adds what the row alone
/// does not tell.
template <typename Item, typename Make, typename Finish>
Result<Page<Item>> read_page(catalog::Database& database, const ProjectId& project, const Search& search, Query query,
                             const std::string& select, Make make, Finish finish) {
  const std::int64_t position = TRY(check_page(search));
  const std::string sql = fmt::format("{}{} ORDER BY {} LIMIT ? OFFSET ?", select, query.where, query.order);
  query.values.insert(query.values.begin(), project.text);
  query.values.emplace_back(search.page_size + 1);  // one more says whether there is another page
  query.values.emplace_back(position);
  return database.read_value([&](Connection& c) -> Result<Page<Item>> {
    auto rows = TRY(c.rows(sql, query.values, make));
    Page<Item> page;
    if (static_cast<std::int64_t>(rows.size()) > search.page_size) {
      rows.pop_back();
      page.next_page_token = render_position_token(position + search.page_size);
    }
    for (auto& row : rows) page.items.push_back(TRY(finish(c, row)));
    return page;
  });
}

}  // namespace

Result<Page<Model>> Models::search(const ProjectId& project, const Search& search) {
  Query query = TRY(translate(models_table(), search, "m.name ASC", "m.name ASC"));
  std::string select =
      fmt::format("SELECT {} FROM models m WHERE m.project_id = ? AND m.deleted_at IS NULL", kModelColumns);
  if (!query.speaks_of_prompts) {
    select += fmt::format(
        " AND NOT EXISTS (SELECT 1 FROM model_tags t WHERE t.model = m.number AND t.key = '{}' AND t.value = 'true')",
        kPromptTag);
  }
  return read_page<Model>(database_, project, search, std::move(query), select, model_of_row,
                          [](Connection& c, ModelRow& row) -> Result<Model> {
                            TRY(complete_model(c, row));
                            return std::move(row.model);
                          });
}

Result<Page<Version>> Models::search_versions(const ProjectId& project, const Search& search) {
  Query query = TRY(translate(versions_table(), search, "m.name ASC, v.version DESC", "m.name ASC, v.version DESC"));
  const std::string select = fmt::format(
      "SELECT {} FROM model_versions v JOIN models m ON m.number = v.model "
      "WHERE m.project_id = ? AND m.deleted_at IS NULL AND v.deleted_at IS NULL",
      kVersionColumns);
  return read_page<Version>(database_, project, search, std::move(query), select, version_of_row,
                            [](Connection& c, VersionRow& row) -> Result<Version> {
                              TRY(complete_version(c, row));
                              return std::move(row.version);
                            });
}

}  // namespace slipway::registry

#include "tracking/search_sql.h"

#include <fmt/format.h>

#include <bit>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace slipway::tracking {
namespace {

std::string shown(const FilterComparison& comparison) {
  return fmt::format("{}.{}", name(comparison.entity), clean_utf8(comparison.key, 100));
}

Error wrong_operator(const FilterComparison& comparison, std::string_view expected) {
  return {ErrorCode::invalid_argument, fmt::format("Invalid comparator '{}' for {} in the filter; expected one of {}",
                                                   name(comparison.op), shown(comparison), expected)};
}

/// Values of one key are of one type, unless somebody made up a page token. Texts are compared by bytes, as both
/// databases do.
bool value_less(const catalog::Value& a, const catalog::Value& b) {
  if (a.index() != b.index()) return a.index() < b.index();
  if (const auto* integer = std::get_if<std::int64_t>(&a)) return *integer < std::get<std::int64_t>(b);
  if (const auto* real = std::get_if<double>(&a)) return *real < std::get<double>(b);
  if (const auto* text = std::get_if<std::string>(&a)) return *text < std::get<std::string>(b);
  return false;
}

std::string_view symbol(FilterOperator op) {
  return op == FilterOperator::not_equal ? "<>" : op == FilterOperator::ilike ? "LIKE" : name(op);
}

/// Many numbers as one value.
std::string render_list(std::span<const std::int64_t> numbers, bool is_postgres) {
  std::string list = is_postgres ? "{" : "[";
  for (size_t i = 0; i < numbers.size(); ++i)
    fmt::format_to(std::back_inserter(list), "{}{}", i ? "," : "", numbers[i]);
  list += is_postgres ? '}' : ']';
  return list;
}

template <typename Item>
Sql one_of_these(std::string_view expression, std::span<const Item> items) {
  if (items.empty()) return Sql{"1 = 0", {}};
  Sql sql{std::string(expression) + " IN (", {}};
  for (size_t i = 0; i < items.size(); ++i) sql.add(i ? ", ?" : "?", items[i]);
  return sql.add(")");
}

}  // namespace

Result<Sql> compare_text(std::string_view expression, const FilterComparison& comparison) {
  Sql sql;
  switch (comparison.op) {
    case FilterOperator::is_null:
    case FilterOperator::is_not_null: return sql.add(expression).add(" ").add(name(comparison.op));
    case FilterOperator::in:
    case FilterOperator::not_in: {
      sql.add(expression).add(" ").add(name(comparison.op)).add(" (");
      const auto& items = std::get<std::vector<std::string>>(comparison.value);
      for (size_t i = 0; i < items.size(); ++i) sql.add(i ? ", ?" : "?", items[i]);
      return sql.add(")");
    }
    case FilterOperator::equal:
    case FilterOperator::not_equal:
    case FilterOperator::like:
    case FilterOperator::ilike: break;
    default: return wrong_operator(comparison, "= != LIKE ILIKE IN NOT IN IS NULL IS NOT NULL");
  }
  const auto* text = std::get_if<std::string>(&comparison.value);
  if (!text)
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("{} is compared with a number in the filter; expected a text in quotes", shown(comparison))};
  const bool folded = comparison.op == FilterOperator::ilike;
  sql.add(folded ? "LOWER(" : "").add(expression).add(folded ? ") " : " ").add(symbol(comparison.op));
  return sql.add(folded ? " LOWER(?)" : " ?", *text);
}

Result<Sql> compare_number(std::string_view expression, const FilterComparison& comparison, double scale) {
  Sql sql;
  switch (comparison.op) {
    case FilterOperator::is_null:
    case FilterOperator::is_not_null: return sql.add(expression).add(" ").add(name(comparison.op));
    case FilterOperator::like:
    case FilterOperator::ilike:
    case FilterOperator::in:
    case FilterOperator::not_in: return wrong_operator(comparison, "= != < <= > >=");
    default: break;
  }
  const auto* number = std::get_if<double>(&comparison.value);
  if (!number)
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("{} is compared with a text in the filter; expected a number without quotes", shown(comparison))};
  return sql.add(expression).add(" ").add(symbol(comparison.op)).add(" ?", *number * scale);
}

Result<Sql> compare_pair(std::string_view table, std::string_view owner, const std::string& key,
                         const FilterComparison& comparison) {
  const bool absent = comparison.op == FilterOperator::is_null;
  Sql sql{fmt::format("{} (SELECT 1 FROM {} x WHERE {} AND x.key = ?", absent ? "NOT EXISTS" : "EXISTS", table, owner),
          {key}};
  if (!absent && comparison.op != FilterOperator::is_not_null)
    sql.add(" AND ").add(TRY(compare_text("x.value", comparison)));
  return sql.add(")");
}

Sql one_of(std::string_view expression, std::span<const std::int64_t> numbers) {
  return one_of_these(expression, numbers);
}

Sql one_of_texts(std::string_view expression, std::span<const std::string> texts) {
  return one_of_these(expression, texts);
}

Sql among(std::string_view expression, std::span<const std::int64_t> numbers, bool is_postgres) {
  Sql sql{std::string(expression) + " IN (", {}};
  return sql.add(is_postgres ? "SELECT unnest(CAST(? AS BIGINT[])))" : "SELECT value FROM json_each(?))",
                 render_list(numbers, is_postgres));
}

Sql rows_of(std::string_view alias, std::span<const std::int64_t> numbers, bool is_postgres) {
  Sql sql;
  if (is_postgres)
    return sql.add("unnest(CAST(? AS BIGINT[])) AS " + std::string(alias) + "(value)", render_list(numbers, true));
  return sql.add("json_each(?) " + std::string(alias), render_list(numbers, false));
}

void add_nullable_key(std::vector<SortKey>& keys, const Sql& expression, bool ascending, KeyKind kind) {
  SortKey missing;
  missing.expression.add("CASE WHEN ").add(expression).add(" IS NULL THEN 1 ELSE 0 END");
  keys.push_back(std::move(missing));
  SortKey value;
  value.expression.add("COALESCE(").add(expression).add(kind == KeyKind::text ? ", '')" : ", 0)");
  value.ascending = ascending;
  value.kind = kind;
  keys.push_back(std::move(value));
}

Sql order_by(const std::vector<SortKey>& keys) {
  Sql sql;
  for (size_t i = 0; i < keys.size(); ++i)
    sql.add(i ? ", " : " ORDER BY ").add(keys[i].expression).add(keys[i].ascending ? " ASC" : " DESC");
  return sql;
}

Sql rows_after(const std::vector<SortKey>& keys, const catalog::Values& last) {
  // The first key alone bounds the walk along an index; the rest decides among its equals.
  Sql sql;
  sql.add(keys[0].expression).add(keys[0].ascending ? " >= ?" : " <= ?", last[0]).add(" AND (");
  for (size_t i = 0; i < keys.size(); ++i) {
    sql.add(i ? " OR (" : "(");
    for (size_t j = 0; j < i; ++j) sql.add(keys[j].expression).add(" = ? AND ", last[j]);
    sql.add(keys[i].expression).add(keys[i].ascending ? " > ?)" : " < ?)", last[i]);
  }
  return sql.add(")");
}

bool comes_before(const std::vector<SortKey>& keys, const catalog::Values& a, const catalog::Values& b) {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (value_less(a[i], b[i])) return keys[i].ascending;
    if (value_less(b[i], a[i])) return !keys[i].ascending;
  }
  return false;
}

Sql select_keys(const std::vector<SortKey>& keys) {
  Sql sql;
  for (const SortKey& key : keys) sql.add(", ").add(key.expression);
  return sql;
}

catalog::Values read_keys(const catalog::Row& row, int first_column, const std::vector<SortKey>& keys) {
  catalog::Values values;
  for (size_t i = 0; i < keys.size(); ++i) {
    const int column = first_column + static_cast<int>(i);
    switch (keys[i].kind) {
      case KeyKind::integer: values.emplace_back(row.integer(column)); break;
      case KeyKind::real: values.emplace_back(row.number(column)); break;
      case KeyKind::text: values.emplace_back(std::string(row.text(column))); break;
    }
  }
  return values;
}

std::string render_page_token(const PageMark& mark) {
  Json::Array last;
  for (const catalog::Value& value : mark.last) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) last.emplace_back("i" + std::to_string(*integer));
    // Bits, because a page must go on at exactly this value.
    else if (const auto* real = std::get_if<double>(&value))
      last.emplace_back("r" + std::to_string(std::bit_cast<std::int64_t>(*real)));
    else
      last.emplace_back("t" + std::get<std::string>(value));
  }
  return base64_encode(
      Json(Json::Object{}).set("query", mark.query).set("phase", mark.phase).set("last", std::move(last)).render());
}

Result<PageMark> parse_page_token(std::string_view token, std::string_view query) {
  const Error damaged{ErrorCode::invalid_argument,
                      "Invalid page token: expected one that an earlier page of the same search gave"};
  const auto text = base64_decode(token);
  if (!text) return damaged;
  const auto json = Json::parse(*text);
  if (!json.ok() || !json->is_object() || !(*json)["last"].is_array()) return damaged;
  PageMark mark{(*json)["query"].string(), static_cast<int>((*json)["phase"].integer().value_or(0)), {}};
  if (mark.query != query) {
    return Error{
        ErrorCode::invalid_argument,
        "Invalid page token: it belongs to another search; a filter or order that changes starts again at the first page"};
  }
  for (const Json& item : (*json)["last"].array()) {
    const std::string& value = item.string();
    const auto number = value.empty() ? std::nullopt : parse_i64(std::string_view(value).substr(1));
    if (value.empty() || (value[0] != 't' && !number)) return damaged;
    if (value[0] == 'i')
      mark.last.emplace_back(*number);
    else if (value[0] == 'r')
      mark.last.emplace_back(std::bit_cast<double>(*number));
    else
      mark.last.emplace_back(value.substr(1));
  }
  return mark;
}

Result<catalog::Values> parse_page_keys(std::string_view token, std::string_view query,
                                        const std::vector<SortKey>& keys) {
  PageMark mark = TRY(parse_page_token(token, query));
  if (mark.last.size() != keys.size()) return Error{ErrorCode::invalid_argument, "Invalid page token: it is damaged"};
  return std::move(mark.last);
}

std::string fingerprint(std::string_view text) { return render(hash_of(text)).substr(0, 16); }

}  // namespace slipway::tracking

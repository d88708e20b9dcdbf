#include "monitor/case_filter.h"

#include <fmt/format.h>

#include <array>

#include "base/clock.h"
#include "base/text.h"

namespace slipway::monitor {
namespace {

using Op = FilterOperator;

struct Column {
  enum class Kind { text, number, time };
  std::string_view name, sql;  // NULL where the case has none
  Kind kind = Kind::text;
};

constexpr std::array kColumns = {
    Column{"id", "id"},
    Column{"deployment", "deployment"},
    Column{"state", "state"},
    Column{"reason", "reason"},
    Column{"answer", "answer_id"},
    Column{"model", "model"},
    Column{"version", "version", Column::Kind::number},
    Column{"prediction", "NULLIF(prediction, '')"},
    Column{"confidence", "confidence", Column::Kind::number},
    Column{"correct", "correct", Column::Kind::number},
    Column{"label", "NULLIF(label, '')"},
    Column{"comment", "NULLIF(comment, '')"},
    Column{"error", "NULLIF(error, '')"},
    Column{"slice", "NULLIF(slice, '')"},
    Column{"commit", "NULLIF(commit_id, '')"},
    Column{"media_type", "NULLIF(media_type, '')"},
    Column{"input_bytes", "body_bytes", Column::Kind::number},
    Column{"at", "at", Column::Kind::time},
};

Error invalid(std::string message) { return {ErrorCode::invalid_argument, std::move(message)}; }

Result<const Column*> find_column(const FilterComparison& comparison) {
  std::vector<std::string> names;
  for (const Column& column : kColumns) {
    if (comparison.entity == FilterEntity::attribute && column.name == comparison.key) return &column;
    names.emplace_back(column.name);
  }
  if (comparison.entity != FilterEntity::attribute)
    return invalid(fmt::format("cases have no {}s; expected one of {}", name(comparison.entity), join(names, ", ")));
  const auto near = nearest(comparison.key, names);
  return invalid(fmt::format("cases have no '{}'; {}", clean_utf8(comparison.key, 60),
                             near ? "did you mean '" + *near + "'?" : "expected one of " + join(names, ", ")));
}

Error wrong(const Column& column, const FilterComparison& comparison, std::string_view expected) {
  return invalid(fmt::format("'{}' is compared with {} here; expected {}", column.name, name(comparison.op), expected));
}

bool is_order(Op op) { return op == Op::less || op == Op::less_equal || op == Op::greater || op == Op::greater_equal; }

std::string_view sql_of(Op op) { return op == Op::not_equal ? "<>" : name(op); }

Result<std::string> compare_text(const Column& column, const FilterComparison& comparison, catalog::Values& values) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&comparison.value)) {
    for (const std::string& item : *list) values.emplace_back(item);
    return fmt::format("{} {} ({})", column.sql, name(comparison.op),
                       join(std::vector<std::string>(list->size(), "?"), ", "));
  }
  if (is_order(comparison.op)) return wrong(column, comparison, "=, !=, LIKE, ILIKE, IN or IS NULL");
  // People write label = 3 as readily as label = '3'.
  const auto* number = std::get_if<double>(&comparison.value);
  values.emplace_back(number ? render_double(*number) : std::get<std::string>(comparison.value));
  if (comparison.op == Op::ilike) return fmt::format("LOWER({}) LIKE LOWER(?)", column.sql);
  return fmt::format("{} {} ?", column.sql, sql_of(comparison.op));
}

Result<std::string> compare_number(const Column& column, const FilterComparison& comparison, catalog::Values& values) {
  const auto* number = std::get_if<double>(&comparison.value);
  if (!number || comparison.op == Op::like || comparison.op == Op::ilike)
    return wrong(column, comparison, "=, !=, <, <=, > or >= and a number without quotes");
  values.emplace_back(*number);
  return fmt::format("{} {} ?", column.sql, sql_of(comparison.op));
}

Result<std::string> compare_time(const Column& column, const FilterComparison& comparison, catalog::Values& values) {
  const auto* text = std::get_if<std::string>(&comparison.value);
  const auto time = text ? parse_time(*text) : Result<Time>(invalid(""));
  if (!time.ok() || comparison.op == Op::like || comparison.op == Op::ilike)
    return wrong(column, comparison, "=, !=, <, <=, > or >= and a time such as '2026-03-01T10:00:00Z'");
  values.emplace_back(time->micros);
  return fmt::format("{} {} ?", column.sql, sql_of(comparison.op));
}

Result<std::string> condition(const FilterComparison& comparison, catalog::Values& values) {
  const Column* column = TRY(find_column(comparison));
  if (comparison.op == Op::is_null || comparison.op == Op::is_not_null)
    return fmt::format("{} {}", column->sql, name(comparison.op));
  switch (column->kind) {
    case Column::Kind::text: return compare_text(*column, comparison, values);
    case Column::Kind::number: return compare_number(*column, comparison, values);
    case Column::Kind::time: return compare_time(*column, comparison, values);
  }
  return invalid("");
}

}  // namespace

Result<std::string> case_conditions(const Filter& filter, catalog::Values& values, FilterPlace* place) {
  std::string sql;
  for (const FilterComparison& comparison : filter.comparisons) {
    const auto text = condition(comparison, values);
    if (!text.ok()) {
      if (place) *place = {comparison.position, comparison.length};
      return text.error();
    }
    sql += " AND " + *text;
  }
  return sql;
}

}  // namespace slipway::monitor

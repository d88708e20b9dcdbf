#include "evaluation/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "catalog/analytics.h"

namespace slipway::evaluation {
namespace {

using catalog::quote_identifier;
using catalog::quote_literal;
using catalog::Row;
using catalog::Value;
using catalog::Values;

const std::vector<std::string> kFixedColumns = {"key", "label", "prediction", "confidence", "score", "image_hash"};
constexpr std::string_view kStatisticPrefix = "statistic.";
constexpr std::string_view kAttributePrefix = "attribute.";

struct Column {
  std::string name;  // with its prefix
  bool numeric = false;
};

/// The columns beside the fixed ones, in the order of their names.
std::vector<Column> columns_of(const std::vector<SampleResult>& results) {
  std::map<std::string, bool> attributes;
  std::set<std::string> statistics;
  for (const SampleResult& result : results) {
    for (const auto& [attribute, value] : result.attributes) {
      auto& numeric = attributes.try_emplace(attribute, true).first->second;
      if (std::holds_alternative<std::string>(value)) numeric = false;
    }
    for (const auto& [statistic, value] : result.statistics) statistics.insert(statistic);
  }
  std::vector<Column> columns;
  for (const std::string& statistic : statistics) columns.push_back({std::string(kStatisticPrefix) + statistic, true});
  for (const auto& [attribute, numeric] : attributes)
    columns.push_back({std::string(kAttributePrefix) + attribute, numeric});
  return columns;
}

Value number_or_null(double value) { return std::isfinite(value) ? Value(value) : Value(nullptr); }

Value value_of(const SampleResult& result, const Column& column) {
  const std::string_view name = column.name;
  if (name.starts_with(kStatisticPrefix)) {
    const auto at = result.statistics.find(std::string(name.substr(kStatisticPrefix.size())));
    return at == result.statistics.end() ? Value(nullptr) : number_or_null(at->second);
  }
  const auto at = result.attributes.find(std::string(name.substr(kAttributePrefix.size())));
  if (at == result.attributes.end()) return nullptr;
  if (const auto* number = std::get_if<double>(&at->second))
    return column.numeric ? number_or_null(*number) : Value(render_double(*number));
  if (const auto* text = std::get_if<std::string>(&at->second)) return *text;
  return nullptr;
}

/// What people write for a column: statistics and attributes without their prefix.
std::string_view written_name(std::string_view column) {
  for (std::string_view prefix : {kStatisticPrefix, kAttributePrefix}) {
    if (column.starts_with(prefix)) return column.substr(prefix.size());
  }
  return column;
}

constexpr size_t kInsertRowsMax = 500;

/// Many rows in one statement, because a statement costs more than a row.
Result<void> insert_rows(catalog::Connection& duck, const std::vector<SampleResult>& results,
                         const std::vector<Column>& columns) {
  std::string row = "(?, ?, ?, ?, ?, ?";
  for (size_t i = 0; i < columns.size(); ++i) row += ", ?";
  row += ")";
  for (size_t begin = 0; begin < results.size(); begin += kInsertRowsMax) {
    const size_t end = std::min(results.size(), begin + kInsertRowsMax);
    std::string sql = "INSERT INTO results VALUES ";
    Values values;
    for (size_t i = begin; i < end; ++i) {
      const SampleResult& result = results[i];
      sql += (i == begin ? "" : ", ") + row;
      values.insert(values.end(), {result.key, result.label, result.prediction,
                                   result.confidence ? number_or_null(*result.confidence) : Value(nullptr),
                                   result.score, result.image_hash});
      for (const Column& column : columns) values.push_back(value_of(result, column));
    }
    TRY(duck.run(sql, values));
  }
  return {};
}

}  // namespace

Result<void> write_parquet(const std::filesystem::path& path, const std::vector<SampleResult>& results) {
  const std::vector<Column> columns = columns_of(results);
  if (columns.size() > kAttributesMax) {
    return Error{ErrorCode::too_large, fmt::format("the samples have {} different attributes; at most {} can be kept",
                                                   columns.size(), kAttributesMax)};
  }
  const auto duck = TRY(catalog::open_analytics());
  std::string create =
      "CREATE TABLE results (key VARCHAR, label VARCHAR, prediction VARCHAR, confidence DOUBLE, score DOUBLE, image_hash VARCHAR";
  for (const Column& column : columns)
    create += ", " + quote_identifier(column.name) + (column.numeric ? " DOUBLE" : " VARCHAR");
  TRY(duck->run(create + ")", {}));
  TRY(insert_rows(*duck, results, columns));
  TRY(duck->run("COPY (SELECT * FROM results ORDER BY key) TO " + quote_literal(path.string()) +
                    " (FORMAT PARQUET, COMPRESSION ZSTD)",
                {}));
  return {};
}

Result<Results> Results::open(const std::filesystem::path& parquet) {
  auto duck = TRY(catalog::open_analytics());
  TRY(duck->run("CREATE TABLE results AS SELECT * FROM read_parquet(" + quote_literal(parquet.string()) + ")", {}));
  std::vector<std::string> columns;
  std::vector<bool> numeric;
  TRY(duck->run(
      "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'results' ORDER BY ordinal_position",
      {}, [&](const Row& row) {
        columns.emplace_back(row.text(0));
        numeric.push_back(row.text(1) == "DOUBLE");
        return true;
      }));
  return Results(std::move(duck), std::move(columns), std::move(numeric));
}

namespace {

/// SQL of one comparison, its values appended.
Result<std::string> translate(const FilterComparison& comparison, const std::string& column, bool numeric,
                              Values& values) {
  const auto wrong = [&](std::string_view expected) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is {}; expected {}", comparison.key, numeric ? "a number" : "text", expected)};
  };
  switch (comparison.op) {
    case FilterOperator::is_null: return column + " IS NULL";
    case FilterOperator::is_not_null: return column + " IS NOT NULL";
    case FilterOperator::in:
    case FilterOperator::not_in: {
      if (numeric) return wrong("a comparison such as < 0.5");
      std::string list;
      for (const std::string& item : std::get<std::vector<std::string>>(comparison.value)) {
        list += list.empty() ? "?" : ", ?";
        values.emplace_back(item);
      }
      return column + (comparison.op == FilterOperator::in ? " IN (" : " NOT IN (") + list + ")";
    }
    case FilterOperator::like:
    case FilterOperator::ilike:
      if (numeric || !std::holds_alternative<std::string>(comparison.value))
        return wrong("LIKE with a text, on a column of text");
      values.emplace_back(std::get<std::string>(comparison.value));
      return column + (comparison.op == FilterOperator::like ? " LIKE ?" : " ILIKE ?");
    default: break;
  }
  if (numeric) {
    const auto* number = std::get_if<double>(&comparison.value);
    if (!number) return wrong("a number without quotes");
    values.emplace_back(*number);
  } else if (const auto* text = std::get_if<std::string>(&comparison.value)) {
    values.emplace_back(*text);
  } else {
    values.emplace_back(render_double(std::get<double>(comparison.value)));  // label = 3 means label = '3'
  }
  return column + " " + std::string(name(comparison.op)) + " ?";
}

}  // namespace

Result<Condition> Results::understand(std::string_view filter) const {
  Condition condition{"TRUE", {}};
  for (const FilterComparison& comparison : TRY(parse_filter(filter)).comparisons) {
    std::vector<std::string> known = {"correct"};
    std::optional<size_t> found;
    for (size_t i = 0; i < columns_.size(); ++i) {
      known.emplace_back(written_name(columns_[i]));
      // An attribute wins over a statistic of the same name: it is the user's own word.
      if (comparison.entity == FilterEntity::attribute && written_name(columns_[i]) == comparison.key) found = i;
    }
    std::string column = found ? quote_identifier(columns_[*found]) : "";
    bool numeric = found && numeric_[*found];
    if (!found && comparison.key == "correct") {
      column = "(CASE WHEN score = 1 THEN 1.0 ELSE 0.0 END)";
      numeric = true;
    } else if (!found) {
      const auto near = nearest(comparison.key, known);
      return Error{ErrorCode::invalid_argument,
                   fmt::format("samples have no '{}'; {}", comparison.key,
                               near ? "did you mean '" + *near + "'?" : "known are " + join(known, ", "))};
    }
    condition.sql += " AND " + TRY(translate(comparison, column, numeric, condition.values));
  }
  return condition;
}

Result<std::int64_t> Results::count(const Condition& condition) {
  return TRY(duck_->first("SELECT COUNT(*) FROM results WHERE " + condition.sql, condition.values,
                          [](const Row& row) { return row.integer(0); }))
      .value_or(0);
}

Result<std::vector<std::pair<std::string, double>>> Results::scores(const Condition& condition) {
  return duck_->rows("SELECT key, score FROM results WHERE " + condition.sql + " ORDER BY key", condition.values,
                     [](const Row& row) { return std::pair(std::string(row.text(0)), row.number(1)); });
}

namespace {

Interval interval_of(const std::vector<double>& scores) {
  std::int64_t ones = 0;
  bool binary = true;
  for (double score : scores) {
    ones += score == 1;
    binary = binary && (score == 0 || score == 1);
  }
  return binary ? share(ones, static_cast<std::int64_t>(scores.size())) : mean(scores);
}

}  // namespace

Result<Interval> Results::score(const Condition& condition) {
  std::vector<double> values;
  for (const auto& [key, value] : TRY(scores(condition))) values.push_back(value);
  return interval_of(values);
}

Result<std::vector<SampleResult>> Results::samples(const Condition& condition, std::string_view after,
                                                   std::int64_t most) {
  Values values = condition.values;
  values.emplace_back(std::string(after));
  values.emplace_back(std::min(most, kResultPageMax));
  return duck_->rows("SELECT * FROM results WHERE " + condition.sql + " AND key > ? ORDER BY key LIMIT ?", values,
                     [&](const Row& row) {
                       SampleResult result{std::string(row.text(0)),
                                           std::string(row.text(1)),
                                           std::string(row.text(2)),
                                           std::nullopt,
                                           row.number(4),
                                           std::string(row.text(5)),
                                           {},
                                           {}};
                       if (!row.is_null(3)) result.confidence = row.number(3);
                       for (size_t i = kFixedColumns.size(); i < columns_.size(); ++i) {
                         const int column = static_cast<int>(i);
                         if (row.is_null(column)) continue;
                         const std::string written(written_name(columns_[i]));
                         if (columns_[i].starts_with(kStatisticPrefix)) {
                           result.statistics[written] = row.number(column);
                         } else {
                           result.attributes[written] = numeric_[i] ? AttributeValue(row.number(column))
                                                                    : AttributeValue(std::string(row.text(column)));
                         }
                       }
                       return result;
                     });
}

Result<std::vector<std::pair<std::string, std::int64_t>>> Results::values_of(std::string_view attribute,
                                                                             std::int64_t most) {
  const std::string column = std::string(kAttributePrefix) + std::string(attribute);
  if (attribute != "label" && std::find(columns_.begin(), columns_.end(), column) == columns_.end()) {
    return Error{ErrorCode::invalid_argument, "samples have no attribute '" + clean_utf8(attribute, 100) + "'"};
  }
  const std::string sql_name = attribute == "label" ? "label" : quote_identifier(column);
  return duck_->rows("SELECT CAST(" + sql_name + " AS VARCHAR) AS v, COUNT(*) FROM results WHERE " + sql_name +
                         " IS NOT NULL GROUP BY v ORDER BY 2 DESC, 1 LIMIT ?",
                     {most}, [](const Row& row) { return std::pair(std::string(row.text(0)), row.integer(1)); });
}

Result<std::vector<double>> Results::statistic(std::string_view statistic_name) {
  const std::string column = std::string(kStatisticPrefix) + std::string(statistic_name);
  if (std::find(columns_.begin(), columns_.end(), column) == columns_.end()) return std::vector<double>();
  return duck_->rows(
      "SELECT " + quote_identifier(column) + " FROM results WHERE " + quote_identifier(column) + " IS NOT NULL", {},
      [](const Row& row) { return row.number(0); });
}

Result<SliceComparison> compare(Results& left, Results& right, std::string slice, std::string_view filter,
                                double tolerance) {
  std::unordered_map<std::string, double> left_scores;
  for (auto& [key, score] : TRY(left.scores({"TRUE", {}}))) left_scores.emplace(std::move(key), score);
  std::vector<double> before, after;
  bool binary = true;
  SliceComparison comparison{std::move(slice), {}, {}, {}, Verdict::unclear, 0, 0};
  for (const auto& [key, score] : TRY(right.scores(TRY(right.understand(filter))))) {
    const auto at = left_scores.find(key);
    if (at == left_scores.end()) continue;
    before.push_back(at->second);
    after.push_back(score);
    comparison.fixed += at->second < 1 && score == 1;
    comparison.broken += at->second == 1 && score < 1;
    binary = binary && (score == 0 || score == 1) && (at->second == 0 || at->second == 1);
  }
  comparison.left = interval_of(before);
  comparison.right = interval_of(after);
  comparison.difference =
      binary ? paired_share_difference(comparison.fixed, comparison.broken, static_cast<std::int64_t>(after.size()))
             : paired_mean_difference(before, after);
  comparison.verdict = judge(comparison.difference, tolerance);
  return comparison;
}

}  // namespace slipway::evaluation

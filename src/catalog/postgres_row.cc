#include "catalog/postgres_row.h"

#include <fmt/format.h>

#include <bit>

#include "base/check.h"
#include "base/text.h"
#include "catalog/backend.h"

namespace slipway::catalog {

std::string render_numeric(std::string_view bytes) {
  if (bytes.size() < 8) return "NaN";
  const auto word = [&](size_t i) { return from_big_endian<std::int16_t>(bytes.substr(i * 2, 2)); };
  const int count = word(0), weight = word(1);
  const auto sign = static_cast<std::uint16_t>(word(2));
  if (sign == 0xC000) return "NaN";
  if (sign == 0xD000) return "Infinity";
  if (sign == 0xF000) return "-Infinity";
  if (count == 0) return "0";
  std::string text;
  for (int i = 4; i < 4 + count; ++i) text += fmt::format("{:04}", word(static_cast<size_t>(i)));
  // Digits are in base 10,000, the first one worth 10,000^weight.
  text = (sign == 0x4000 ? "-" : "") + text.substr(text.find_first_not_of('0'));
  const int exponent = 4 * (weight - count + 1);
  if (exponent > 0) return text + std::string(static_cast<size_t>(exponent), '0');
  return exponent == 0 ? text : fmt::format("{}e{}", text, exponent);
}

void PostgresRow::wrong(int column, const char* wanted) const {
  die(__FILE__, __LINE__, "type",
      fmt::format("column {} (PostgreSQL's type {}) was read as {} in the result of: {}", column,
                  PQftype(answer_, column), wanted, shown(sql_)));
}

bool PostgresRow::is_null(int column) const {
  CHECK(column >= 0 && column < PQnfields(answer_),
        fmt::format("there is no column {} in the result of: {}", column, shown(sql_)));
  return PQgetisnull(answer_, row_, column) != 0;
}

std::string_view PostgresRow::bytes(int column) const {
  return {PQgetvalue(answer_, row_, column), static_cast<size_t>(PQgetlength(answer_, row_, column))};
}

std::int64_t PostgresRow::integer(int column) const {
  if (is_null(column)) return 0;
  const std::string_view value = bytes(column);
  switch (PQftype(answer_, column)) {
    case kPgBool: return value[0] != 0;
    case kPgInt2: return from_big_endian<std::int16_t>(value);
    case kPgInt4: return from_big_endian<std::int32_t>(value);
    case kPgOid: return from_big_endian<std::uint32_t>(value);
    case kPgInt8: return from_big_endian<std::int64_t>(value);
    case kPgNumeric:
      if (const auto whole = parse_i64(render_numeric(value))) return *whole;
      break;
    default: break;
  }
  wrong(column, "an integer");
}

double PostgresRow::number(int column) const {
  if (is_null(column)) return 0;
  const std::string_view value = bytes(column);
  switch (PQftype(answer_, column)) {
    case kPgFloat4: return from_big_endian<float>(value);
    case kPgFloat8: return from_big_endian<double>(value);
    case kPgNumeric: return parse_double(render_numeric(value)).value_or(0);
    case kPgInt2:
    case kPgInt4:
    case kPgInt8: return static_cast<double>(integer(column));
    default: wrong(column, "a number");
  }
}

std::string_view PostgresRow::text(int column) const {
  if (is_null(column)) return {};
  switch (PQftype(answer_, column)) {
    case kPgText:
    case kPgVarchar:
    case kPgChar:
    case kPgName:
    case kPgUnknown: return bytes(column);
    default: wrong(column, "a text");
  }
}

std::string_view PostgresRow::blob(int column) const {
  if (is_null(column)) return {};
  if (PQftype(answer_, column) != kPgBytes) wrong(column, "bytes");
  return bytes(column);
}

}  // namespace slipway::catalog

// One row of a PostgreSQL answer in binary format.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "catalog/catalog.h"

namespace slipway::catalog {

class PostgresRow : public Row {
 public:
  PostgresRow(const PGresult* answer, int row, std::string_view sql) : answer_(answer), row_(row), sql_(sql) {}

  bool is_null(int column) const override;
  std::int64_t integer(int column) const override;
  double number(int column) const override;
  std::string_view text(int column) const override;
  std::string_view blob(int column) const override;

 private:
  std::string_view bytes(int column) const;
  [[noreturn]] void wrong(int column, const char* wanted) const;

  const PGresult* answer_;
  int row_;
  std::string_view sql_;
};

/// PostgreSQL's binary numeric as decimal text ("-12.5e0" and the like, for a parser): what SUM of BIGINT comes as.
std::string render_numeric(std::string_view bytes);

/// Type numbers of PostgreSQL's catalog (pg_type.dat) that a Value is sent as or may be read from.
enum PostgresType : Oid {
  kPgBool = 16,
  kPgBytes = 17,
  kPgName = 19,
  kPgInt8 = 20,
  kPgInt2 = 21,
  kPgInt4 = 23,
  kPgText = 25,
  kPgOid = 26,
  kPgFloat4 = 700,
  kPgFloat8 = 701,
  kPgUnknown = 705,
  kPgChar = 1042,
  kPgVarchar = 1043,
  kPgNumeric = 1700,
};

/// Big-endian, as PostgreSQL's binary format wants integers and floats.
template <typename Number>
Number from_big_endian(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (char c : bytes.substr(0, sizeof(Number))) bits = (bits << 8) | static_cast<unsigned char>(c);
  if constexpr (sizeof(Number) == 8) {
    return std::bit_cast<Number>(bits);
  } else if constexpr (sizeof(Number) == 4) {
    return std::bit_cast<Number>(static_cast<std::uint32_t>(bits));
  } else {
    return std::bit_cast<Number>(static_cast<std::uint16_t>(bits));
  }
}

}  // namespace slipway::catalog

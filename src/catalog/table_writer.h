// Rows of typed columns on their way into a file of some format.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace slipway::catalog {

enum class ColumnType { text, integer, number, time };

struct TableColumn {
  std::string name;
  ColumnType type = ColumnType::text;
};

/// A row is a value for each column, in their order, of its type or null; then end_row(), which says what went wrong
/// with any of them. One thread at a time.
class TableWriter {
 public:
  virtual ~TableWriter() = default;
  virtual void text(std::string_view value) = 0;  // bytes that are no UTF-8 become U+FFFD
  virtual void integer(std::int64_t value) = 0;
  virtual void number(double value) = 0;
  virtual void time(Time value) = 0;
  virtual void null() = 0;
  virtual Result<void> end_row() = 0;
};

}  // namespace slipway::catalog

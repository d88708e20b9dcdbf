#include "catalog/analytics.h"

#include <fmt/format.h>

#include "base/check.h"
#include "catalog/duckdb_library.h"

namespace slipway::catalog {
namespace {

/// One row of a chunk.
class ChunkRow : public Row {
 public:
  ChunkRow(const DuckLibrary& duck, duckdb_result& result, duckdb_data_chunk chunk) : duck_(duck) {
    for (idx_t i = 0; i < duck.column_count(&result); ++i) {
      duckdb_vector vector = duck.data_chunk_get_vector(chunk, i);
      columns_.push_back(
          {duck.column_type(&result, i), duck.vector_get_data(vector), duck.vector_get_validity(vector)});
    }
  }
  void move_to(idx_t row) { row_ = row; }

  bool is_null(int column) const override {
    const Column& c = at(column);
    return c.validity && !duck_.validity_row_is_valid(c.validity, row_);
  }

  std::int64_t integer(int column) const override {
    if (is_null(column)) return 0;
    const Column& c = at(column);
    switch (c.type) {
      case DUCKDB_TYPE_BOOLEAN: return value<bool>(c);
      case DUCKDB_TYPE_TINYINT: return value<std::int8_t>(c);
      case DUCKDB_TYPE_SMALLINT: return value<std::int16_t>(c);
      case DUCKDB_TYPE_INTEGER: return value<std::int32_t>(c);
      case DUCKDB_TYPE_BIGINT: return value<std::int64_t>(c);
      case DUCKDB_TYPE_UINTEGER: return value<std::uint32_t>(c);
      default: CHECK(false, "this column is no integer; CAST it to BIGINT in the query");
    }
    return 0;
  }

  double number(int column) const override {
    if (is_null(column)) return 0;
    const Column& c = at(column);
    if (c.type == DUCKDB_TYPE_DOUBLE) return value<double>(c);
    if (c.type == DUCKDB_TYPE_FLOAT) return value<float>(c);
    return static_cast<double>(integer(column));
  }

  std::string_view text(int column) const override {
    if (is_null(column)) return {};
    const Column& c = at(column);
    CHECK(c.type == DUCKDB_TYPE_VARCHAR || c.type == DUCKDB_TYPE_BLOB,
          "this column is no text; CAST it to VARCHAR in the query");
    const auto& string = static_cast<const duckdb_string_t*>(c.data)[row_];
    if (duck_.string_is_inlined(string)) return {string.value.inlined.inlined, string.value.inlined.length};
    return {string.value.pointer.ptr, string.value.pointer.length};
  }

  std::string_view blob(int column) const override { return text(column); }

 private:
  struct Column {
    duckdb_type type;
    const void* data;
    std::uint64_t* validity;
  };

  const Column& at(int column) const {
    CHECK(column >= 0 && static_cast<size_t>(column) < columns_.size(), "the query has fewer columns");
    return columns_[static_cast<size_t>(column)];
  }
  template <typename T>
  T value(const Column& column) const {
    return static_cast<const T*>(column.data)[row_];
  }

  const DuckLibrary& duck_;
  std::vector<Column> columns_;
  idx_t row_ = 0;
};

class Analytics : public Connection {
 public:
  explicit Analytics(const DuckLibrary& duck) : duck_(duck) {}
  ~Analytics() override {
    if (connection_) duck_.disconnect(&connection_);
    if (database_) duck_.close(&database_);
  }

  Result<void> open() {
    if (duck_.open(nullptr, &database_) != DuckDBSuccess || duck_.connect(database_, &connection_) != DuckDBSuccess) {
      return Error{ErrorCode::unavailable, "DuckDB could not open a database in memory"};
    }
    // Little memory and the one thread that asks: the server has other work.
    TRY(run("SET threads = 1", {}));
    TRY(run("SET memory_limit = '512MB'", {}));
    return {};
  }

  Result<std::int64_t> run(std::string_view sql, const Values& values,
                           const std::function<bool(const Row&)>& on_row = nullptr) override {
    const std::string text(sql);
    duckdb_prepared_statement statement = nullptr;
    if (duck_.prepare(connection_, text.c_str(), &statement) != DuckDBSuccess) {
      const std::string problem = duck_.prepare_error(statement) ? duck_.prepare_error(statement) : "";
      duck_.destroy_prepare(&statement);
      return Error{ErrorCode::internal, fmt::format("DuckDB refused the query ({}): {}", problem, text)};
    }
    CHECK(duck_.nparams(statement) == values.size(), "the query has other placeholders than values: " + text);
    for (size_t i = 0; i < values.size(); ++i) bind(statement, i + 1, values[i]);
    duckdb_result result;
    const duckdb_state state = duck_.execute_prepared(statement, &result);
    Result<std::int64_t> changed = Error{};
    if (state == DuckDBSuccess) {
      changed = static_cast<std::int64_t>(duck_.rows_changed(&result));
      if (on_row) each_row(result, on_row);
    } else {
      const char* problem = duck_.result_error(&result);
      changed = Error{ErrorCode::internal,
                      fmt::format("DuckDB failed ({}): {}", problem ? problem : "no reason given", text)};
    }
    duck_.destroy_result(&result);
    duck_.destroy_prepare(&statement);
    return changed;
  }

  bool is_postgres() const override { return false; }

 private:
  void bind(duckdb_prepared_statement statement, idx_t at, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      duck_.bind_int64(statement, at, *integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
      duck_.bind_double(statement, at, *number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      duck_.bind_varchar_length(statement, at, text->data(), text->size());
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      duck_.bind_blob(statement, at, blob->bytes.data(), blob->bytes.size());
    } else {
      duck_.bind_null(statement, at);
    }
  }

  void each_row(duckdb_result& result, const std::function<bool(const Row&)>& on_row) {
    bool goes_on = true;
    while (goes_on) {
      duckdb_data_chunk chunk = duck_.fetch_chunk(result);
      if (!chunk) return;
      ChunkRow row(duck_, result, chunk);
      for (idx_t i = 0; goes_on && i < duck_.data_chunk_get_size(chunk); ++i) {
        row.move_to(i);
        goes_on = on_row(row);
      }
      duck_.destroy_data_chunk(&chunk);
    }
  }

  const DuckLibrary& duck_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace

std::string quote_literal(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

std::string quote_identifier(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

Result<std::unique_ptr<Connection>> open_analytics() {
  const DuckLibrary* duck = TRY(duckdb_library());
  auto connection = std::make_unique<Analytics>(*duck);
  TRY(connection->open());
  return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace slipway::catalog

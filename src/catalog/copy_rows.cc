#include "catalog/copy_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace slipway::catalog {
namespace {

/// One INSERT carries so many rows, or fewer when they are large; a cursor of PostgreSQL is asked for as many at once.
constexpr size_t kRowsAtOnce = 100;
constexpr size_t kValuesAtOnce = 30'000;  // both databases take at least this many in one statement
constexpr size_t kBytesAtOnce = 4 << 20;

std::string quoted(const std::string& name) { return '"' + name + '"'; }

std::string column_list(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(quoted(column.name));
  return join(names, ", ");
}

/// The kind of values that a declared type means, as SQLite's rules of affinity read it.
ColumnKind kind_of(std::string_view declared) {
  if (declared.find("INT") != std::string_view::npos) return ColumnKind::integer;
  if (declared.find("DOUB") != std::string_view::npos || declared.find("REAL") != std::string_view::npos)
    return ColumnKind::number;
  if (declared.find("BLOB") != std::string_view::npos) return ColumnKind::blob;
  return ColumnKind::text;
}

Value value_of(const Row& row, int at, ColumnKind kind) {
  if (row.is_null(at)) return nullptr;
  switch (kind) {
    case ColumnKind::integer: return row.integer(at);
    case ColumnKind::number: return row.number(at);
    case ColumnKind::text: return std::string(row.text(at));
    case ColumnKind::blob: return Blob{std::string(row.blob(at))};
  }
  return nullptr;
}

size_t bytes_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->size();
  if (const auto* blob = std::get_if<Blob>(&value)) return blob->bytes.size();
  return sizeof(std::int64_t);
}

/// Rows on their way into one table, several in one statement.
class Inserter {
 public:
  Inserter(Session& to, const Table& table)
      : to_(to), table_(table), rows_max_(std::clamp<size_t>(kValuesAtOnce / table.columns.size(), 1, kRowsAtOnce)) {}

  Result<void> add(const Row& row) {
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      values_.push_back(value_of(row, static_cast<int>(i), table_.columns[i].kind));
      bytes_ += bytes_of(values_.back());
    }
    if (++rows_ < rows_max_ && bytes_ < kBytesAtOnce) return {};
    return flush();
  }
  Result<void> flush() {
    if (rows_ == 0) return {};
    std::vector<std::string> marks(table_.columns.size(), "?");
    const std::vector<std::string> groups(rows_, "(" + join(marks, ",") + ")");
    TRY(to_.run(
        fmt::format("INSERT INTO {} ({}) VALUES {}", quoted(table_.name), column_list(table_), join(groups, ",")),
        values_));
    values_.clear();
    rows_ = bytes_ = 0;
    return {};
  }

 private:
  Session& to_;
  const Table& table_;
  const size_t rows_max_;
  Values values_;
  size_t rows_ = 0, bytes_ = 0;
};

/// Every row of the table, one by one. PostgreSQL's answers are held in memory whole, so there a cursor gives pieces.
Result<void> for_each_row(Session& from, const Table& table, const std::function<Result<void>(const Row&)>& visit) {
  Result<void> visited;
  size_t seen = 0;
  const auto on_row = [&](const Row& row) {
    ++seen;
    visited = visit(row);
    return visited.ok();
  };
  const std::string select = fmt::format("SELECT {} FROM {}", column_list(table), quoted(table.name));
  if (!from.is_postgres()) {
    TRY(from.run(select, {}, on_row));
    return visited;
  }
  const std::string cursor = quoted("copy_" + table.name);
  TRY(from.run(fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", cursor, select), {}));
  size_t before = 0;
  do {
    before = seen;
    TRY(from.run(fmt::format("FETCH {} FROM {}", kRowsAtOnce, cursor), {}, on_row));
    TRY(visited);
  } while (seen > before);
  TRY(from.run("CLOSE " + cursor, {}));
  return {};
}

/// The last number that was ever given; nullopt when none was.
Result<std::optional<std::int64_t>> last_number(Session& session, const Table& table) {
  const auto first = [](const Row& row) { return row.integer(0); };
  if (!session.is_postgres())
    return session.first("SELECT seq FROM sqlite_sequence WHERE name = ?", {table.name}, first);
  const auto sequence = TRY(session.first("SELECT pg_get_serial_sequence(?, ?)", {quoted(table.name), table.counted},
                                          [](const Row& row) { return std::string(row.text(0)); }));
  return session.first(fmt::format("SELECT last_value FROM {} WHERE is_called", sequence.value_or("")), {}, first);
}

Result<void> set_last_number(Session& session, const Table& table, std::int64_t number) {
  if (session.is_postgres()) {
    TRY(session.run("SELECT setval(CAST(pg_get_serial_sequence(?, ?) AS regclass), ?)",
                    {quoted(table.name), table.counted, number}));
    return {};
  }
  TRY(session.run("DELETE FROM sqlite_sequence WHERE name = ?", {table.name}));
  TRY(session.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", {table.name, number}));
  return {};
}

struct FoundTable {
  Table table;
  std::set<std::string> refers_to;
};

Result<std::vector<FoundTable>> found_tables(Session& sqlite) {
  auto tables = TRY(
      sqlite.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                  "AND name <> 'schema_migrations' ORDER BY name",
                  {}, [](const Row& row) {
                    FoundTable found{{.name = std::string(row.text(0)), .columns = {}, .counted = ""}, {}};
                    // Only remembered here; the column is found below.
                    if (row.text(1).find("AUTOINCREMENT") != std::string_view::npos) found.table.counted = "?";
                    return found;
                  }));
  for (FoundTable& found : tables) {
    TRY(sqlite.run("SELECT name, type, pk FROM pragma_table_info(?)", {found.table.name}, [&](const Row& row) {
      found.table.columns.push_back({std::string(row.text(0)), kind_of(row.text(1))});
      if (row.integer(2) == 1 && found.table.counted == "?") found.table.counted = row.text(0);
      return true;
    }));
    TRY(sqlite.run("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?)", {found.table.name},
                   [&](const Row& row) {
                     if (row.text(0) != found.table.name) found.refers_to.emplace(row.text(0));
                     return true;
                   }));
  }
  return tables;
}

}  // namespace

Result<std::vector<Table>> tables_of(Session& sqlite) {
  auto waiting = TRY(found_tables(sqlite));
  std::vector<Table> ordered;
  std::set<std::string> placed;
  while (!waiting.empty()) {
    const auto is_ready = [&](const FoundTable& found) {
      return std::all_of(found.refers_to.begin(), found.refers_to.end(),
                         [&](const std::string& name) { return placed.contains(name); });
    };
    const auto next = std::find_if(waiting.begin(), waiting.end(), is_ready);
    if (next == waiting.end())
      return Error{ErrorCode::internal,
                   "tables refer to each other in a circle, beginning with " + waiting.front().table.name};
    placed.insert(next->table.name);
    ordered.push_back(std::move(next->table));
    waiting.erase(next);
  }
  return ordered;
}

Result<void> copy_rows(Session& from, Session& to, const std::vector<Table>& tables) {
  // A schema comes with a few rows of its own.
  for (auto table = tables.rbegin(); table != tables.rend(); ++table)
    TRY(to.run("DELETE FROM " + quoted(table->name), {}));
  for (const Table& table : tables) {
    Inserter inserter(to, table);
    TRY(for_each_row(from, table, [&](const Row& row) { return inserter.add(row); }));
    TRY(inserter.flush());
    if (table.counted.empty()) continue;
    const auto number = TRY(last_number(from, table));
    if (number) TRY(set_last_number(to, table, *number));
  }
  return {};
}

}  // namespace slipway::catalog

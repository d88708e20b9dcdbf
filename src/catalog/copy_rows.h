// Every row of one database into another with the same schema, whichever of the two kinds they are. This is how a
// PostgreSQL is backed up into one SQLite file, and how such a file becomes a PostgreSQL again.
//
// What a table is made of is read from the SQLite of the two, whose schema is ours to the letter: its columns with
// their declared types, whom it refers to, and whether it counts its rows. The counters travel too, because a number
// that was given once never comes again. Left out are schema_migrations, which both have of their own, and what
// PostgreSQL's writers keep for themselves.
#pragma once

#include <string>
#include <vector>

#include "catalog/backend.h"

namespace slipway::catalog {

enum class ColumnKind { integer, number, text, blob };

struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::text;
};

struct Table {
  std::string name;
  std::vector<Column> columns;
  std::string counted;  // the column that counts ({serial}), or empty
};

/// The tables of an SQLite database, each after those it refers to.
Result<std::vector<Table>> tables_of(Session& sqlite);

/// Empties the tables of `to` and fills them with what `from` holds. Both are inside a transaction of the caller's;
/// `from` in one that sees one state all along.
Result<void> copy_rows(Session& from, Session& to, const std::vector<Table>& tables);

}  // namespace slipway::catalog

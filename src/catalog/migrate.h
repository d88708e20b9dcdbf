// Bringing a database up to the schema this program knows. The history is one ordered list; it only grows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/backend.h"

namespace slipway::catalog {

/// The statements of a migration, without their ';' and comments that stand alone. A statement ends with a ';' that is
/// the last thing on its line (a comment may follow) and stands outside quotes and comments.
std::vector<std::string> split_statements(std::string_view sql);

/// `sql` in the words of one database: {blob}, {serial} (a primary key that counts up and never repeats a number),
/// {without_rowid}; and on PostgreSQL the column type TEXT gets the "C" collation, so that both order text by its
/// bytes.
std::string translate_schema(std::string_view sql, bool is_postgres);

struct SchemaState {
  int newest_applied = 0;  // 0: a database without a schema
  size_t missing = 0;      // migrations that we know and it lacks
};

/// How far the schema is. A database that has a migration we do not know was written by a newer version:
/// failed_precondition, naming both numbers.
Result<SchemaState> schema_state(Session& session, const std::vector<Migration>& migrations, const std::string& begin);

/// Applies what is missing of `migrations`, each in a transaction of its own (begun with `begin`) together with its row
/// in schema_migrations. A database that has a migration we do not know was written by a newer version:
/// failed_precondition. When one fails, it leaves nothing behind and those before it stay.
Result<void> migrate(Session& session, const std::vector<Migration>& migrations, const std::string& begin, Time now);

}  // namespace slipway::catalog

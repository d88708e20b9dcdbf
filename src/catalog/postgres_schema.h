// Bringing a PostgreSQL up to the schema, also when two servers start at once.
#pragma once

#include <vector>

#include "catalog/postgres_connection.h"

namespace slipway::catalog {

/// A table with this name stands in a database for as long as a restore into it is not over.
inline constexpr const char* kHalfRestoredTable = "catalog_half_restored";
Result<bool> is_half_restored(Session& postgres);

Result<void> prepare_postgres_schema(PostgresConnection& session, const std::vector<Migration>& migrations);

}  // namespace slipway::catalog

// DuckDB: an analytic engine in memory, for per-sample tables and Parquet files. Loaded when first used, so that a
// server which never asks for it stays small. Speaks catalog's own Connection, so rows are read the same way
// everywhere.
#pragma once

#include <memory>

#include "catalog/catalog.h"

namespace slipway::catalog {

/// A database of its own in memory, gone with the connection. One thread at a time. Columns of other types than
/// integers, doubles, truth values and text are read after a CAST in the SQL. unavailable when DuckDB's library is not
/// there; the message says where it was looked for.
Result<std::unique_ptr<Connection>> open_analytics();

/// `path` as a text literal for read_parquet() and COPY, which take no parameters.
std::string quote_literal(std::string_view text);
/// A column's name for SQL, whatever characters it has.
std::string quote_identifier(std::string_view text);

}  // namespace slipway::catalog

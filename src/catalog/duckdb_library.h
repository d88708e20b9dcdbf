// DuckDB's C interface, loaded from its library when first used. Private to the room.
#pragma once

#include <duckdb.h>

#include "base/result.h"

namespace slipway::catalog {

/// The functions of the library, by their own names.
struct DuckLibrary {
// The tool would take the list for a nest of calls.
// clang-format off
#define SLIPWAY_DUCKDB_FUNCTIONS(X) \
  X(open) X(close) X(connect) X(disconnect) X(prepare) X(prepare_error) X(destroy_prepare) X(nparams) \
  X(bind_int64) X(bind_double) X(bind_varchar_length) X(bind_blob) X(bind_null) X(execute_prepared) \
  X(result_error) X(destroy_result) X(column_count) X(rows_changed) X(fetch_chunk) X(destroy_data_chunk) \
  X(data_chunk_get_size) X(data_chunk_get_vector) X(vector_get_data) X(vector_get_validity) \
  X(validity_row_is_valid) X(column_type) X(string_is_inlined) X(query) X(appender_create) X(appender_error) \
  X(appender_end_row) X(appender_close) X(appender_destroy) X(append_int64) X(append_double) \
  X(append_timestamp) X(append_varchar_length) X(append_null)
// clang-format on
#define SLIPWAY_MEMBER(function) decltype(&duckdb_##function) function = nullptr;
  SLIPWAY_DUCKDB_FUNCTIONS(SLIPWAY_MEMBER)
#undef SLIPWAY_MEMBER
};

/// Stays for the life of the process. unavailable when the library is not there or lacks a function.
Result<const DuckLibrary*> duckdb_library();

}  // namespace slipway::catalog

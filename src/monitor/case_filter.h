// The filter language over cases, as SQL. Pure.
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "domain/filter.h"

namespace slipway::monitor {

/// Names: id, deployment, state, reason, answer, model, version, prediction, confidence, correct (1 or 0), label,
/// comment, error, slice, commit, media_type, input_bytes, at (a time in RFC 3339). What a case lacks passes only IS
/// NULL.
///
/// " AND …" for each comparison, with `?` places whose values are appended. invalid_argument with the nearest name
/// there is, and `place` (may be null) says where in the text the name stands.
Result<std::string> case_conditions(const Filter& filter, catalog::Values& values, FilterPlace* place);

}  // namespace slipway::monitor

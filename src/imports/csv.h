// A table as runs: each row a step, each column of numbers a metric. Columns with a meaning: `step` (else rows are
// counted from 0), `time` or `timestamp` (RFC 3339, or seconds or milliseconds since 1970), `run` (rows of several
// runs).
#pragma once

#include <filesystem>
#include <istream>
#include <string>
#include <vector>

#include "imports/report.h"
#include "imports/series.h"

namespace slipway::imports {

inline constexpr size_t kCsvColumnsMax = 100'000;
inline constexpr size_t kCsvCellBytesMax = 1 << 20;
inline constexpr size_t kCsvRunsMax = 100'000;

/// The next record of RFC 4180 (quotes, line breaks inside them, CR LF); false at the end. too_large past the limits.
Result<bool> read_csv_record(std::istream& in, std::vector<std::string>& cells);

/// Every run of the file, over at its end. `name` is that of the run of a table without a column `run`. A cell that is
/// no number is left out and counted; empty cells are nothing.
Result<Report> carry_csv(const std::filesystem::path& file, const std::string& name, Destination& destination,
                         const std::string& experiment);

}  // namespace slipway::imports

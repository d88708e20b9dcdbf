// /api/v1/runs/export: runs, or every point of them, as one file.
#pragma once

#include <filesystem>

#include "api/native/runs.h"

namespace slipway::api {

/// Parquet needs a file before the first byte can be sent: so many at once, the next one is told to come later.
inline constexpr int kParquetExportsMax = 2;

struct ExportPlace {
  std::filesystem::path folder;           // of the server's own, emptied at once and after each export
  std::uint64_t disk_free_bytes_min = 0;  // less than this on its disk ends an export with `busy`
};

/// `tracking`, and what the functions refer to, outlive the router's use.
void add_runs_export(http::Router& router, tracking::Tracking& tracking, RunExtras extras, ExportPlace place);

}  // namespace slipway::api

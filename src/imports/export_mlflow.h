// The way out: what a source has, written as the folder of files (`mlruns`) that MLflow's clients and its own
// `mlflow migrate-filestore` read. A folder and no running server, because only there runs keep their ids and times and
// versions their numbers.
//
// A run's folder is complete when it has the file .slipway-state, which is written last and holds what state_of() said
// of the run; the same export again leaves such runs alone, and one that broke off goes on.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "imports/report.h"
#include "imports/source.h"

namespace slipway::imports {

struct ExportOptions {
  std::filesystem::path folder;          // absent, empty, or of an earlier export of the same origin
  std::string origin;                    // one line that says what the folder is an export of
  std::vector<std::string> experiments;  // names; empty: all
  bool is_filtered = false;              // the source shows some runs only: no registered models, no empty experiments
  bool files = true;
  bool models = true;
  bool deleted = false;
  std::function<void(std::uint64_t)> on_progress;  // how many runs are done
  const std::atomic<bool>* stop = nullptr;         // set to end early, between runs
};

/// Problems with single things are in the report. An error means that the export as a whole could not go on: repeat it.
/// failed_precondition for a folder with something else in it. Memory is that of a page of runs and of points.
Result<Report> export_mlflow(Source& source, const ExportOptions& options);

}  // namespace slipway::imports

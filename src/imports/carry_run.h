// One run, one logged model. Private to the room.
#pragma once

#include <filesystem>

#include "imports/carry.h"

namespace slipway::imports {

/// What a worker has: its own connections, and a folder for a file on its way.
struct Worker {
  Source& source;
  Destination& destination;
  const CarryOptions& options;
  std::filesystem::path scratch;
  Report& report;
};

/// Errors end everything; what concerns only this run is in the report.
Result<void> carry_run(Worker& worker, const SourceRun& run, const std::string& experiment);
Result<void> carry_logged_model(Worker& worker, const SourceLoggedModel& model, const std::string& experiment);

/// Notes a problem with one thing, or hands on an error that ends everything.
Result<void> note(Report& report, const std::string& what, const Result<void>& done);

}  // namespace slipway::imports

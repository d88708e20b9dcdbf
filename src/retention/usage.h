// What a project takes, in bytes: by kind, by experiment, by user.
//
// Adding up the points of 100,000 runs would read the whole database, so each run is measured for itself and the sums
// are made of these measures. A run is measured again while it is not over and for a day after its end, after it was
// changed, and once a day; the thread `retention` sees to it, and a report measures what is stale itself as far as
// kMeasuredAtOnce.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "domain/ids.h"
#include "registry/registry.h"
#include "retention/collector.h"

namespace slipway::retention {

inline constexpr std::int64_t kMeasuredAtOnce = 500;                // runs, in one transaction
inline constexpr Duration kMeasureFresh = std::chrono::seconds(5);  // a measure of a run that goes on
inline constexpr std::int64_t kUsageLinesMax = 100;

/// An experiment, or a user.
struct UsageLine {
  std::string id, name;
  std::int64_t runs = 0;
  Bytes bytes;
};

struct UsageReport {
  // Together what the project takes.
  std::int64_t artifacts = 0;  // files of runs, logged models and versions, each content once
  std::int64_t points = 0, logs = 0, traces = 0;
  std::int64_t datasets = 0;  // what each commit added to the one before it
  std::int64_t shared = 0;    // what files would take besides, were each content kept for each of its names
  std::int64_t deleted = 0;   // of deleted runs, which can still be restored; files by name
  std::vector<UsageLine> experiments, users;  // the largest kUsageLinesMax; files by name
  std::int64_t runs = 0, waiting = 0;         // measured; and those whose measure is missing or old
  std::int64_t total() const { return artifacts + points + logs + traces + datasets; }
};

/// Thread-safe; blocks for the database.
class Usage {
 public:
  Usage(catalog::Database& database, registry::References& references, const Clock& clock)
      : database_(database), references_(references), clock_(clock) {}

  Result<UsageReport> report(const ProjectId& project);
  /// Measures runs of all projects that need it, one transaction's worth; how many those were. 0: all are measured.
  Result<std::int64_t> measure_some();

 private:
  Result<std::int64_t> measure(const std::optional<ProjectId>& project, Duration fresh);

  catalog::Database& database_;
  registry::References& references_;
  const Clock& clock_;
};

}  // namespace slipway::retention

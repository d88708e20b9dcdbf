// The front door of tracking: experiments, runs, parameters, tags, metric series, and how they are searched.
#pragma once

#include "tracking/evaluation_datasets.h"  // IWYU pragma: export
#include "tracking/experiments.h"          // IWYU pragma: export
#include "tracking/imports.h"              // IWYU pragma: export
#include "tracking/logged_models.h"        // IWYU pragma: export
#include "tracking/metric_log.h"           // IWYU pragma: export
#include "tracking/metric_sorter.h"        // IWYU pragma: export
#include "tracking/metrics.h"              // IWYU pragma: export
#include "tracking/records.h"              // IWYU pragma: export
#include "tracking/resumes.h"              // IWYU pragma: export
#include "tracking/runs.h"                 // IWYU pragma: export
#include "tracking/scorers.h"              // IWYU pragma: export
#include "tracking/search.h"               // IWYU pragma: export
#include "tracking/trace_files.h"          // IWYU pragma: export
#include "tracking/traces.h"               // IWYU pragma: export

namespace slipway::tracking {

/// The whole room. Thread: `metric-sorter`. Everything it is given outlives it; `events` may be null. Its destruction
/// must come after the last request and before the database's.
class Tracking {
 public:
  Tracking(catalog::Database& database, const Clock& clock, Counters& counters, EventSink* events,
           SorterOptions options = {})
      : metrics_(database, names_),
        log_(database, names_, clock, counters, events),
        sorter_(database, log_, clock, counters, options),
        experiments_(database, clock),
        runs_(database, metrics_, clock, events),
        search_(database, sorter_, metrics_),
        logged_models_(database, clock),
        imports_(database, clock, events),
        traces_(database, clock),
        trace_files_(database, clock),
        evaluation_datasets_(database, clock),
        scorers_(database, clock) {
    // A database that does not answer now will say so to whoever asks next; the date waits for the next start.
    (void)experiments_.date_default();
  }

  Experiments& experiments() { return experiments_; }
  Runs& runs() { return runs_; }
  MetricLog& log() { return log_; }
  Metrics& metrics() { return metrics_; }
  Search& search() { return search_; }
  LoggedModels& logged_models() { return logged_models_; }
  Imports& imports() { return imports_; }
  Traces& traces() { return traces_; }
  TraceFiles& trace_files() { return trace_files_; }
  EvaluationDatasets& evaluation_datasets() { return evaluation_datasets_; }
  Scorers& scorers() { return scorers_; }
  MetricSorter& sorter() { return sorter_; }

 private:
  MetricNames names_;
  Metrics metrics_;
  MetricLog log_;
  MetricSorter sorter_;
  Experiments experiments_;
  Runs runs_;
  Search search_;
  LoggedModels logged_models_;
  Imports imports_;
  Traces traces_;
  TraceFiles trace_files_;
  EvaluationDatasets evaluation_datasets_;
  Scorers scorers_;
};

}  // namespace slipway::tracking

// The other way out: what a source has, pushed into a running MLflow server over its REST API. There runs and logged
// models get ids of their own and versions numbers of their own; tags say which of ours each one is, and by them it is
// found again.
//
// Every write may be repeated. A run is made together with its tag slipway.export.run_id, a version with
// slipway.export.version, a logged model with slipway.export.model_id, so that nothing is made twice wherever a push
// breaks off. slipway.export.state is written last and holds what state_of() said of the run; a run whose tag still
// fits is not looked at again. Of a run that is there, points are sent that its histories there do not have.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "imports/report.h"
#include "imports/rest.h"
#include "imports/source.h"

namespace slipway::imports {

struct PushOptions {
  std::string url;  // of the MLflow server
  Credentials credentials;
  std::vector<std::string> experiments;  // names; empty: all
  bool is_filtered = false;              // the source shows some runs only: no registered models, no empty experiments
  bool files = true;
  bool models = true;
  bool deleted = false;
  bool again = false;                              // look at every run, whatever its tag says
  std::function<void(std::uint64_t)> on_progress;  // how many runs are done
  const std::atomic<bool>* stop = nullptr;         // set to end early, between runs
};

/// Problems with single things are in the report. An error means that the push as a whole could not go on: repeat it.
/// Memory is that of a page of runs, of a run's histories there once it has some, and of an id for each run.
Result<Report> push_mlflow(Source& source, const PushOptions& options);

}  // namespace slipway::imports
